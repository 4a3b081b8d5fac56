r"""Phrases that speak for a failure class without a second word, whatever software says them.

Read by failure_class_guess.py beside the families of failure_class_words.py.
"""

from __future__ import annotations

_SOFT = 1.8
"""Not enough alone: it counts together with another phrase or family."""

PHRASES: tuple[tuple[str, float, str], ...] = (
    (
        "auth_permission",
        _SOFT,
        r"privileges?|permissions?|access control",
    ),
    (
        "auth_permission",
        3.3,
        r"denied|forbidden|unauthori[sz]ed|unauthenticated|not authori[sz]ed|must be owner"
        r"|re-?authenticat\w*|revoked|aadsts\d+|access rights|invalid grant"
        r"|(?:http|status|code|error)\W{1,4}40[13]|not allowed to (?:access|connect|read|write)",
    ),
    (
        "code_exception",
        _SOFT,
        r"raised|traceback|stack trace|keyword argument",
    ),
    (
        "code_exception",
        2.6,
        r"(?:class cast|illegal argument|illegal state|index out of bounds) exception"
        r"|(?:value|key|name|assertion|lookup|arithmetic) error:\s{0,3}(?!\s|§)|panic\w*|unwrap"
        r"|division by zero|segmentation fault|positional arguments?|keyword argument"
        r"|reference error|cannot read propert\w+ of|not (?:callable|iterable|subscriptable)"
        r"|is not a function|invariant failed|internal error|were selected, but no|unhandled"
        r"|uncaught|access index|goroutine",
    ),
    (
        "code_exception",
        4.4,
        r"(?<![a-z] )(?:attribute|type|index|unbound local|zero division|recursion|unicode (?:de"
        r"|en)code) error:|json ?decode error|has no attribute|nil pointer|panicked"
        r"|null pointer exception|index out of range",
    ),
    (
        "compile_error",
        _SOFT,
        r"jinja\w*|macro|yaml",
    ),
    (
        "compile_error",
        2.3,
        r"(?<!sql )compilation (?:error|exception)|parsing error|failed to compile",
    ),
    (
        "compile_error",
        3.3,
        r"undefined (?:macro|variable|error)|ref\(\) must|in ref\(\)|found a cycle"
        r"|could not render|model definition|failed to add template|unhashable|dbt1[05]\d\d",
    ),
    (
        "concurrency_lock",
        _SOFT,
        r"concurrent(?:ly)?|locks?|locking",
    ),
    (
        "concurrency_lock",
        3.5,
        r"deadlock\w*|concurrent (?:update|append|write|delete|modification|transaction)\w*"
        r"|created concurrently|serializ\w* (?:failure|access|isolation|anomaly|violation)"
        r"|write[- ]write|mutex|lock(?:s|ed)? (?:on|wait|timeout|held)"
        r"|acquir\w* (?:a |the )?locks?|already (?:running|in progress)"
        r"|another (?:process|transaction|session|run|user|pipeline|job|writer|instance)"
        r"|(?:base )?metadata location|is active for|resource busy|update conflict"
        r"|conflicting (?:commit|lock)|commit failed exception",
    ),
    (
        "config_env",
        _SOFT,
        r"environment variables?|env vars?|configuration|usage: ",
    ),
    (
        "config_env",
        3.2,
        r"no (?:adapters?|drivers?|profiles?)|mis-?configur\w*|not \w+ configured"
        r"|command not found|module not found|no module named|not installed"
        r"|no such (?:option|command)|shared object file|variable not found|version conflict"
        r"|usage:|is not recogni[sz]ed as an internal",
    ),
    (
        "config_env",
        4.2,
        r"certificate verify failed|pulling image|image pull \w+|shared object file|pip install"
        r"|env var required|dbt deps|forgot to|git repository",
    ),
    (
        "contract_violation",
        _SOFT,
        r"contract\w*|breaking|constraint",
    ),
    (
        "contract_violation",
        3.4,
        r"enforced contract|schema (?:mismatch|enforcement|registry|drift|evolution)|not[ -]null"
        r"|check constraint|foreign key|schemas? .{0,60}out of sync|extra (?:fields?|columns?)"
        r"|against (?:the )?schema|schema at index|(?:number of|unmatched) columns"
        r"|schema does not match|earlier schema|not in data ?frame|schema error|column list"
        r"|null into|(?:cannot be|allow) nulls?|mode required|unexpected propert(?:y|ies)",
    ),
    (
        "duplicate_rows",
        3.4,
        r"duplicat\w+ (?:keys?|rows?|entr(?:y|ies)|values?|records?)|not unique"
        r"|more than one (?:row|element|record|source)|(?:multiple|several) (?:source )?rows?"
        r"|[1m]:[1m] validation|already present|stable set of rows",
    ),
    (
        "duplicate_rows",
        4.2,
        r"unique (?:key )?constraint|uniqueness|at most one (?:source )?row",
    ),
    (
        "missing_column",
        3.4,
        r"no (?:such )?(?:column|field)|(?:unrecogni[sz]ed|unknown|unresolved) (?:name|identifier)"
        r"|name § not found|cannot query field"
        r"|(?:unknown|invalid|missing) (?:column|field)s?(?: name| reference)?|column not found"
        r"|column reference|not in index|nonexist\w* field|not in given columns"
        r"|columns expected but",
    ),
    (
        "missing_relation",
        3.3,
        r"no such (?:table|view|object|file|key|bucket|entity)"
        r"|(?:table|relation|view|file|object|entity|topic) not found"
        r"|(?:unknown|invalid|missing) (?:table|view|relation|object)(?: name)?"
        r"|no files? (?:found|match)|path does not exist",
    ),
    (
        "missing_relation",
        4.3,
        r"does not exist or not authori[sz]ed",
    ),
    (
        "out_of_resources",
        _SOFT,
        r"memory|disk|quota",
    ),
    (
        "out_of_resources",
        3.3,
        r"out of memory|oom ?\w*|heap space|bad alloc|no space left|gc overhead"
        r"|too many open files|(?:insufficient|not enough|low on) (?:memory|disk|space|resources?)"
        r"|ran out of|max\w* packet|direct buffer|cannot broadcast|memory error"
        r"|(?:unable to|cannot) allocate"
        r"|(?:log|disk|table|file ?group|device|table ?space) .{0,60}is full|too many parts",
    ),
    (
        "sql_syntax",
        _SOFT,
        r"syntax",
    ),
    (
        "sql_syntax",
        3.3,
        r"syntax error|incorrect syntax|parser? error|not properly ended|near §"
        r"|sub-?query (?:type|in)|parse exception|selection list"
        r"|(?:in|must appear in) (?:the )?group by|expected \S{1,20} but (?:found|got)",
    ),
    (
        "sql_syntax",
        4.0,
        r"ambiguous (?:column|reference|name|identifier|field)|is ambiguous"
        r"|(?:unknown|scalar) function|function .{1,60}(?:not found|does not exist)"
        r"|neither grouped nor|set operations?|unterminated|no viable alternative|mismatched input"
        r"|group by expression",
    ),
    (
        "stale_source",
        3.4,
        r"stale\w*|freshness|overdue|not fresh|out of date|has ?n[o']t arrived|never appeared"
        r"|last (?:modified|updated|loaded|synced|refreshed|seen)"
        r"|newest (?:row|file|object|record)|no new (?:data|rows|files|records)"
        r"|has ?n[o']t (?:been updated|completed a sync)",
    ),
    (
        "test_failure",
        _SOFT,
        r"tests?|audit",
    ),
    (
        "test_failure",
        3.3,
        r"got \d+ results?|audit \S{1,60} .{0,40}failed|failure in (?:audit|test|check)"
        r"|quality gate|expectations? (?:failed|suite)|anomal(?:y|ies) detected|did not hold"
        r"|expected between|mismatched rows",
    ),
    (
        "transient_infra",
        _SOFT,
        r"temporar(?:y|ily)|transient|intermittent|back ?off|gateway|time ?outs?",
    ),
    (
        "transient_infra",
        2.5,
        r"(?:connection|connectivity|network|socket|communication|rpc|transport|ssl|tls) (?:error"
        r"|failure|failed|problem)"
        r"|(?:fail(?:ed|ure)|unable|could ?n[o']t|cannot) (?:to )?(?:be )?(?:re-?)?(?:connect"
        r"|reach|contact|communicate)\w*",
    ),
    (
        "transient_infra",
        3.2,
        r"tim(?:ed|es) ?out"
        r"|time ?out (?:error|exception|expired|exceeded|reached|after|of|while|waiting|occurred"
        r"|period)"
        r"|(?:connect\w*|read|request|gateway|socket|session|query|login|statement|lock) time ?out"
        r"|deadline exceeded|throttl\w*|too many requests|request rate|max\w* retr(?:y|ies)"
        r"|retries exceeded|zombie|slow down|overloaded|(?:try|retry)(?: \w+){0,2} (?:again|later)"
        r"|bad gateway|hung up|heartbeats?|hand ?shake|early eof|broken pipe|unreachable|evicted"
        r"|preempt\w*|sig ?term|name resolution|under maintenance|service unavailable|resubmit"
        r"|internal server error"
        r"|(?:http|status|code|error|response|returned)\W{1,4}(?:429|5[0-3]\d)|5\d\d when",
    ),
    (
        "transient_infra",
        4.3,
        r"rate limit\w*|quota for rate|too many 5\d\d|remote end hung up|no \w+ alive",
    ),
    (
        "type_error",
        _SOFT,
        r"data ?types?|cast",
    ),
    (
        "type_error",
        3.3,
        r"type mismatch|incompatible (?:data ?)?types?|overflow"
        r"|out of (?:range|bounds) (?:value|time ?stamp|for type)|truncation"
        r"|invalid (?:cast|digit|format)|implicit(?:ly)? conver\w*|not supported for char"
        r"|(?:value|which|column .{1,40}) has type|type conversion"
        r"|cannot (?:be )?(?:cast|convert|deseriali[sz]e|coerce)\w*",
    ),
    (
        "type_error",
        4.4,
        r"invalid input syntax for|operator does not exist|argument types?|matching signature"
        r"|length exceeds|is of type|bad \w+ value",
    ),
)
"""Class, how much it says (3.2 and more also replaces a rule that knows only a message's form)."""
