r"""Families of words, and which of them together mean which failure class.

Not sentences of one software, but what any software would say: a thing (`column`) and what is
wrong with it (`absent`), in one line and near each other. failure_class_guess.py reads them, only
where no rule of a class recognises the message.
"""

from __future__ import annotations

FAMILIES: dict[str, str] = {
    # what is wrong with it
    "absent": r"(?:was |were |been )?not (?:be )?found|does ?n[o']t exist|do not exist|not exist"
    r"|no such|un(?:known|recogni[sz]ed|defined|resolved)|non-? ?exist\w*|no longer \w+|missing"
    r"|(?:cannot|can't|could ?n[o']t|unable to|failed to|not) (?:be )?(?:find|found|resolved?"
    r"|locate[d]?)|not (?:present|available|known|a valid|in the|in index)|invalid|there is no"
    r"|(?:does|do) ?n[o']t have|has no|have no|was (?:deleted|dropped)"
    r"|not (?:an? )?(?:recogni[sz]ed|valid)|no longer",
    "broken": r"reset|refused|closed?|abort(?:ed)?|lost|drop(?:ped)?|unreachable|unavailable"
    r"|terminat(?:ed|ing|ion)|interrupt\w*|disconnect\w*|broken|gone(?: away)?|hung(?: up)?|eof"
    r"|suspended|starting|restarting|pending|shut(?:ting)? ?down|crash\w*|stopped|died|stalled"
    r"|overloaded|busy|not (?:running|ready|responding|reachable|available|alive)|unexpected state"
    r"|not respond",
    "refused": r"denied|invalid|expired|reject\w*|incorrect|wrong|missing|insufficient|lacks?"
    r"|(?:does|do|did) ?n[o']t (?:have|hold|include)"
    r"|not (?:valid|granted|allowed|accepted|authori[sz]ed|sufficient)|holds? no|has no|have no"
    r"|requires?|required|fail(?:ed|ure)?|revoked|deactivated|disabled|unknown|unable to locate"
    r"|mismatch|locked|bad|must",
    "short": r"exceed\w*|exhaust\w*|full|insufficient|not enough"
    r"|too (?:large|big|much|small|complex|many(?! errors))|limit\w*|maximum|(?:ran |run )?out of"
    r"|kill(?:ed)?|low on|larger than|bigger than"
    r"|(?:could ?n[o']t|cannot|unable to|failed to|not) (?:allocate|extend|offload|reserve|spill)"
    r"|over (?:the )?(?:limit|quota|budget)",
    "unset": r"not (?:set|configured|installed|supported|provided|supplied|defined|available"
    r"|specified|found|a directory|loaded)|un(?:set|supported|known|recogni[sz]ed)|missing"
    r"|required?s?|must be"
    r"|(?:could ?n[o']t|cannot|can't|unable to) (?:be )?(?:find|found|load|loaded|import|open)"
    r"|no such|no matching|incompatible|conflicting|mismatch|invalid"
    r"|does ?n[o']t (?:exist|have|support)|outdated|not match",
    "rejected": r"not (?:allowed|supported|permitted|valid)|un(?:supported|expected)|cannot|must"
    r"|without|expect(?:ed|ing)|ambiguous|illegal|incorrect|nested|too many|wrong number|invalid"
    r"|does ?n[o']t support|duplicate|missing",
    "violated": r"violat\w*|mismatch\w*|(?:does|do|did) ?n[o']t (?:match|conform)|not match"
    r"|differ\w*|changed|incompatible|not (?:permitted|allowed|conform)|un(?:expected|known)"
    r"|required?s?|breaking|breach\w*|fail(?:ed|s|ure)|extra|forbidden|frozen|freeze|enforced"
    r"|not[ -]null(?:able)?|is null|nullable|reject\w*",
    "not_passed": r"fail(?:ed|s|ure|ures|ing)?|violat\w*"
    r"|(?:did|does) ?n[o']t (?:pass|hold|meet|succeed)|not (?:met|pass\w*|held|satisfied)"
    r"|unsuccessful|breach\w*|reject\w*|below|above|outside|exceed\w*|mismatch\w*|unexpected"
    r"|detected|expected",
    "repeated": r"duplicat\w*|not unique|uniqueness|more than one|multiple|twice|repeat(?:s|ed)?"
    r"|already (?:exists?|present)|ambiguous|non-? ?deterministic(?:ally)?"
    r"|(?:1|m|one|many)(?::|-to-)(?:1|m|one|many)",
    "late": r"stale\w*|overdue|outdated|stalled|late|delay(?:ed|s)?|behind|lag(?:s|ged|ging)?"
    r"|not (?:been )?(?:updated|synced|refreshed|loaded|arrived|received|delivered|landed"
    r"|completed?d?)(?: a sync)?|no new|never (?:appeared|arrived|came)|has ?n[o']t arrived"
    r"|(?:hours?|days?|minutes?|h|d|weeks?) (?:ago|old|behind|late|past)|past its|out of date"
    r"|did not arrive|still waiting",
    "contended": r"conflict\w*|concurrent\w*|deadlock\w*|lock(?:s|ed|ing)?|held by|in use|busy"
    r"|another|already (?:running|in progress|being|active|open|started)|has changed|not the same"
    r"|acquir\w+|contention|being (?:modified|used|updated|written)|is active for|simultaneous\w*"
    r"|modified (?:by|since)|not same|preconditions?|pre-conditions?",
    "inconvertible": r"cast\w*|conver\w*|coerc\w*|pars(?:e|ed|ing)|incompatible|mismatch\w*"
    r"|(?:does|do) ?n[o']t match|which cannot|expect(?:ed|s|ing)(?= .{0,60}(?:got|but|found|type))"
    r"|not (?:recogni[sz]ed|supported|match)|unsupported|invalid|malformed"
    r"|too (?:long|short|large|big)|overflow\w*|infer\w*|out of|deseriali[sz]e\w*|not a valid"
    r"|supertype|truncat\w*|cannot be|merge",
    "undone": r"undefined|fail(?:ed|s|ure)?|could ?n[o']t|cannot|unable|not found|unexpected"
    r"|invalid|duplicate|cycle|circular|un(?:resolved|hashable|known)|missing",
    # the thing
    "link": r"connect(?:ion|ions|or|ivity)?|sockets?|network|hosts?|servers?|services?"
    r"|end ?points?|backend|clusters?|driver|session|channel|tunnel|streams?|peer|replicas?|remote"
    r"|nodes?|pods?|warehouse|gateway|proxy|rpc|dns|brokers?|workers?|executors?|agent|upstream"
    r"|instance|database system|http|https|ssl|tls|tcp|api|leader|shards?|subchannel|addresses"
    r"|compute",
    "credential": r"permissions?|privileges?|credentials?|password|tokens?|api keys?|secrets?"
    r"|login|user(?:name)?|accounts?|roles?|grants?|scopes?|access|key pair|jwt|o ?auth|iam"
    r"|identity|idp|principal|authentication|authori[sz]ation|signature|keys? for your app"
    r"|secret keys?|access keys?|private key|owner|sso|mfa",
    "resource": r"memory|heap|disk|storage|space|temp ?db|temporary files?|quotas?|capacity|slots?"
    r"|credits?|resources?|file descriptors?|(?:open )?files?|cpu|buffer|stack|partitions|packet"
    r"|bytes|gi?b|size|nodes count",
    "queue": r"connections?|clients?|queries|slots?|queue|sessions",
    "setup": r"environment|env|variables?|settings?|options?|parameters?|config\w*|profiles?"
    r"|targets?|drivers?|plug-?ins?|adapters?|extensions?|packages?|modules?|librar(?:y|ies)"
    r"|dependenc(?:y|ies)|versions?|executables?|commands?|region|arguments?|image|platform"
    r"|certificates?|dsn|home|manifest list|shared object|flag|git repository|distribution",
    "clause": r"select|from|where|group by|order by|having|join|union|sub-?quer(?:y|ies)"
    r"|aggregate\w*|window|functions?|clause|statement|query|expressions?|aliases|alias|cte"
    r"|predicate|over column|operator|keyword|limit|values|insert|update|delete|merge|sql|filter"
    r"|end of input|token|input|parenthes[ei]s",
    "type": r"(?:data ?)?types?|d ?types?|int(?:eger)?\d*|big ?int|float\d*|double|decimal|numeric"
    r"|bool(?:ean)?|var ?char|char|strings?|str|text|utf-?8?|dates?|time(?:stamp)?s?|datetime"
    r"|structs?|arrays?|json|uuid|binary|digits?|long|null type|formats?|characters?|precision",
    "column": r"columns?|fields?|attributes?|propert(?:y|ies)|identifiers?|use ?cols|header"
    r"|dimensions?|metrics?|member",
    "relation": r"tables?|views?|relations?|datasets?|databases?|schemas?|catalogs?|streams?"
    r"|buckets?|objects?|topics?|index|files?|partitions?|paths?|blobs?|folders?|director(?:y|ies)"
    r"|collections?|sheets?|locations?|entit(?:y|ies)|namespaces?|containers?|stage|specified key",
    "shape": r"schemas?|contract\w*|constraints?|foreign key|primary key|columns?|fields?"
    r"|propert(?:y|ies)|data ?frame|validation errors?|nullab\w+|records?",
    "check": r"tests?|checks?|expectations?|assertions?|audits?|monitors?|quality|validations?"
    r"|rules?|anomal(?:y|ies)|data diff|reconciliation|verification|thresholds?|completeness",
    "rows": r"rows?|records?|keys?|entr(?:y|ies)|values?|match(?:e[sd])?|merge|join|upsert|primary"
    r"|index|elements?|documents?|source",
    "data": r"data|tables?|sources?|rows?|files?|partitions?|feed|syncs?|upstream|assets?|exports?"
    r"|snapshots?|loads?|records?|deliver(?:y|ies)|datasets?|models?|connectors?|pipeline|success",
    "shared": r"transactions?|tables?|databases?|delet\w+|files?|commits?|writes?|writers?|branch"
    r"|metadata|snapshots?|state|sessions?|locks?|mutex|lease|runs?|pipelines?|jobs?|slots?"
    r"|process(?:es)?|resource|objects?|updates?|rows?|syncs?|statement",
    "template": r"jinja|macros?|templates?|ref|render\w*|compil\w*|ya?ml|model definition"
    r"|schema file|manifest",
}
"""Name and pattern; each is matched as whole words in a line that `plain` has made of a message."""

TOGETHER: tuple[tuple[str, str, str, float], ...] = (
    ("transient_infra", "link", "broken", 2.0),
    ("auth_permission", "credential", "refused", 2.2),
    ("out_of_resources", "resource", "short", 2.2),
    ("config_env", "setup", "unset", 2.0),
    ("sql_syntax", "clause", "rejected", 1.9),
    ("type_error", "type", "inconvertible", 2.0),
    ("missing_column", "column", "absent", 2.3),
    ("missing_relation", "relation", "absent", 2.1),
    ("contract_violation", "shape", "violated", 1.9),
    ("test_failure", "check", "not_passed", 2.1),
    ("duplicate_rows", "repeated", "rows", 2.3),
    ("stale_source", "data", "late", 2.2),
    ("concurrency_lock", "shared", "contended", 2.2),
    ("compile_error", "template", "undone", 1.9),
)
"""Class, thing, what is wrong with it, and how much it says."""

PASSING: tuple[tuple[str, str, float], ...] = (("out_of_resources", "queue", 2.4),)
"""Shortages of `short` things that others hold and give back: worth a retry."""

ORDER: tuple[str, ...] = (
    *("concurrency_lock", "duplicate_rows", "stale_source", "test_failure", "missing_column"),
    *("type_error", "contract_violation", "auth_permission", "out_of_resources"),
    *("missing_relation", "compile_error", "config_env", "sql_syntax", "transient_infra"),
    "code_exception",
)
"""From the most specific: it decides between equals."""
