"""dbt or Jinja could not make a statement of the project: nothing reached the database.

Why it matters: a file of the project is wrong; the message names it.
Here too: `ref()` and `source()` that find nothing, undefined macros and variables of Jinja,
duplicate names, cycles, invalid YAML and properties of schema files, SQL that dbt Fusion's macros
could not render, definitions that Dagster refuses because of the manifest.
Not here: `env_var`, `var`, profiles, packages and dbt_project.yml (`config_env`), enforced
contracts and `on_schema_change` (`contract_violation`), SQL that the database refuses
(`sql_syntax`), database errors inside of a macro that introspects.
"""

from __future__ import annotations

from dagster_agent.investigation.failure_class import failure_class, rule

COMPILE_ERROR = failure_class(
    id="compile-error",
    retryable=False,
    description=__doc__,
    rules=(
        rule(
            "node-not-found",
            0.97,
            r"\bdepends on an? (?:\w+ )?named [^\n]{1,200}? which (?:was not found|is disabled)",
            r"\bdepends on [^\n]{1,200}? which is not in the graph\b",
            r"\bnode [^\n]{1,200}? not found in manifest\b",
            r"\bnot found in the (?:manifest|graph)\b",
            r"\b(?:ref|source|metric|semantic model)\b[^\n]{0,120} (?:was not found or is disabled"
            r"|not found in project)",
            r"\bdbt was unable to infer all dependencies\b",
            r"\bunable to find (?:model|source|node|ref) ",
            r"\bdid not find (?:a )?(?:node|model|source)\b",
        ),
        rule(
            "jinja-undefined",
            0.95,
            r"'[\w.\[\]' ]{1,120}' is undefined\b",
            r"\bhas no attribute '[^'\n]{1,80}'\n?[^\n]{0,40}(?:in macro|called by)",
            r"\bobject' has no attribute '\w+'\n> ",
            r"\bundefinederror\b",
            r"\bundefined (?:macro|variable)\b",
            r"\bmacro [^\n]{1,120}? (?:takes no|takes not more than|got an unexpected keyword"
            r"|is undefined|not found|does not exist)",
            r"\bno macro named [^\n]{1,120}? found\b",
            r"\bdbt could not find a macro\b",
            r"\bin dispatch: no macro named\b",
        ),
        rule(
            "jinja-syntax",
            0.95,
            r"\btemplatesyntaxerror\b",
            r"\bjinja2?\.exceptions\b",
            r"\bjinja (?:syntax )?error\b",
            r"\bencountered unknown tag\b",
            r"\bunexpected (?:'[}%{]|end of template)",
            r"\bexpected token '[^\n]{1,40}', got '",
            r"\b(?:reached eof without finding a close tag|missing end of (?:comment|raw) tag"
            r"|got an unexpected control flow end tag)\b",
            r"\b(?:could not render|could not be rendered)\b",
            r"\bis not a valid jinja\b",
        ),
        rule(
            "duplicate-name",
            0.96,
            r"\bdbt found (?:two|more than one|nodes in multiple|versioned)\b",
            r"\bidentical database representations?\b",
            r"\bdbt cannot (?:determine|create two)\b",
        ),
        rule(
            "cycle",
            0.96,
            r"\bfound a cycle\b",
            r"\bcircular dependency\b",
            r"\bcyclic dependency\b",
        ),
        rule(
            "yaml",
            0.93,
            r"\berror reading [^\n]{1,120}?: [^\n]{1,160}?\.ya?ml - ",
            r"\b(?:yaml\.(?:scanner|parser)\.\w+error|scannererror|parsererror: while)\b",
            r"\bmapping values are not allowed\b",
            r"\bfound character '[^\n]{1,8}' that cannot start\b",
            r"\bcould not find expected ':'",
            r"\bwhile (?:parsing|scanning) (?:a|an|for) [^\n]{1,60}\n",
            r"\bproperty file at [^\n]{1,160}? is invalid\b",
            r"\binvalid [\w ]{1,40} config given in\b",
            r"\bsyntax error near line \d+\b",
            r"\badditional properties are not allowed\b",
            r"\byaml (?:syntax|pars)\w* error\b",
            r"\bnot valid yaml\b",
            r"\b(?:test|model|source|exposure|snapshot|column)s? definition[^\n]{0,80}(?:invalid"
            r"|must (?:be|have))",
        ),
        rule(
            "parsing",
            0.9,
            r"\bparse error in\b",
            r"\bfailed to parse (?:project|model|manifest|the project)\b",
            r"\bdbtclimanifest\w*error\b",
            r"\binvalid (?:value for on_schema_change|inline model config|incremental strategy"
            r"|materialization|constraint type)\b",
            r"\b(?:invalid|unknown) (?:materialization|incremental_strategy)\b",
            r"\bno materialization [^\n]{1,80} was found\b",
            r"\bis not allowed because the referenced node is\b",
            r"\bref\(\) takes\b",
            r"\bsource\(\) takes\b",
            r"\btakes (?:exactly|at most) two arguments\b",
        ),
        rule(
            "fusion",
            0.8,
            r"\bdbt1(?:00[1-9]|01[0-35-9]|5\d\d|06\d)\b",
            r"\[(?:jinja|schema|parse)\w* \(dbt\d{4}\)\]",
        ),
        rule(
            "compilation",
            0.8,
            r"\bparsing error(?: in (?:model|macro|test|seed|snapshot)\b|$)",
            r"\bcompilation error in (?:model|macro|test|seed|snapshot|analysis|operation"
            r"|unit_test|rpc|sql|on-run)",
            r"\bcompilation ?(?:error|exception)$",
            r"\bcompilationerror\b",
            r"\bdbt compilation error\b",
        ),
        rule(
            "words",
            0.6,
            r"(?<!sql )\bcompilation error\b",
            r"\bfailed to compile\b",
            r"\bcompile error\b",
        ),
    ),
)
