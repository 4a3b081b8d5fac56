"""A statement names a column, or a field of a struct, that the relation does not have.

Why it matters: upstream renamed or dropped it; the message often names the candidates.
Not here: an ambiguous column (`sql_syntax`), a column that a contract or `on_schema_change`
finds missing (`contract_violation`), a `KeyError` of Python on a dictionary (`code_exception`).
"""

from __future__ import annotations

from dagster_agent.investigation.failure_class import (
    clickhouse,
    failure_class,
    mssql,
    mysql,
    rule,
    sqlstate,
)

MISSING_COLUMN = failure_class(
    id="missing-column",
    retryable=False,
    description=__doc__,
    rules=(
        rule(
            "duckdb-binder",
            0.97,
            r"referenced (?:update )?column [^\n]{1,200}? not found",
            r"does not have a column (?:named|with name)",
            r"column [^\n]{1,120}? in (?:exclude|replace|rename) list not found",
        ),
        rule(
            "duckdb-struct",
            0.88,
            r"could not find key [^\n]{1,120}? in struct",
        ),
        rule(
            "duckdb-alias",
            0.88,
            r"column [^\n]{1,120}? referenced that exists in the select clause",
        ),
        rule(
            "does-not-exist",
            0.95,
            r"\bcolumn \"[^\"\n]{1,200}\"(?: of relation [^\n]{1,200}?)? does not exist",
            r"\bcolumn [\"'`]?[^\s\"'`]{1,200}[\"'`]? does not exist",
            r"\bcolumns? [^\n]{1,160}? (?:do|does) not exist\b",
            r"\b(?:field|column)(?: name)? [^\n]{1,120}? does not exist in ",
        ),
        rule(
            "psycopg-class",
            0.96,
            r"\bundefinedcolumn(?:error)?\b",
        ),
        rule(
            "snowflake-identifier",
            0.97,
            r"000904 \(\w{5}\)",
            r"\binvalid identifier [\"'`]",
        ),
        rule(
            "bigquery-name",
            0.96,
            r"\bunrecognized name: ",
            r"\bname [^\n]{1,120}? not found inside ",
            r"\bfield name [^\n]{1,120}? does not exist",
            r"\bcolumn(?: name)? [^\n]{1,120}? is not (?:present|found) in ",
            r"\bno such field: ?\S",
            r"\bcannot access field \S+ on a value with type struct",
        ),
        rule(
            "spark-condition",
            0.97,
            r"\bunresolved_(?:using_)?column",
            r"\bunresolved_(?:field|map_key)\b",
            r"\b(?:field_not_found|column_not_found|missing_attributes"
            r"|column_not_defined_in_table)\b",
            r"\bdelta_cannot_resolve_column\b",
            r"\bdelta_merge_unresolved_expression\b",
        ),
        rule(
            "cannot-be-resolved",
            0.95,
            r"\bcolumn [^\n]{1,200}? cannot be resolved",
            r"\bwith name [^\n]{1,200}? cannot be resolved",
            r"\bcannot resolve (?:column|column name|field|'|`|\")[^\n]{1,200}? (?:given input col"
            r"|among|in \w+ clause)",
            r"\bcannot resolve [^\n]{1,120}? given input columns",
            r"\bno such struct field\b",
            r"\battribute\(s\) [^\n]{1,120}? missing from\b",
        ),
        rule(
            "fusion",
            0.97,
            r"\bno column \S{1,200} found\b",
            r"\bdbt0219\b",
        ),
        rule(
            "fusion-identifier",
            0.86,
            r"dbt0227\)?\]?:? (?!ambiguous)",
        ),
        rule(
            "mysql",
            0.96,
            r"\bunknown column [\"'`]",
            r"\b1054, ",
            mysql(1054),
        ),
        rule(
            "hive",
            0.9,
            r"\binvalid (?:table alias or )?column reference\b",
            r"\bcould not resolve column/field reference\b",
            r"\berror 10004\b",
        ),
        rule(
            "sqlite",
            0.95,
            r"\bno such column\b",
            r"\bhas no column named\b",
        ),
        rule(
            "mssql",
            0.95,
            r"\binvalid column name\b",
            mssql(207),
        ),
        rule(
            "oracle",
            0.97,
            r"\bora-00904\b",
        ),
        rule(
            "clickhouse",
            0.95,
            r"\bunknown_identifier\b",
            clickhouse(8, 10, 16, 47),
            r"\bunknown (?:expression )?(?:or function )?identifier\b",
            r"\bmissing columns: '",
            r"\bno_such_column_in_table\b",
        ),
        rule(
            "api",
            0.93,
            r"\bcannot query field ",
            r"\bundefinedfield\b",
        ),
        rule(
            "dataframe",
            0.93,
            r"\bkeyerror: [^\n]{0,200}not (?:in|found in) (?:index|axis|columns)",
            r"\bare in the \[(?:columns|index)\]",
            r"\bcolumnnotfounderror\b",
            r"\busecols do not match columns\b",
            r"\bcolumns expected but not found\b",
            r"\bno match for fieldref\b",
            r"\bfield [\"'`][^\n]{1,100}[\"'`] does not exist in (?:table |the )?schema",
        ),
        rule(
            "sqlstate",
            0.84,
            sqlstate("42703", "42s22"),
        ),
        rule(
            "not-found",
            0.87,
            r"\bcolumns? [\"'`\[][^\n]{1,150}? (?:was |were )?not (?:be )?found\b",
            r"\b(?:could not|cannot|can't|unable to|failed to) find (?:the )?columns?\b",
            r"\bcolumn [^\n]{1,100}? (?:no longer exists|has been (?:removed|dropped|renamed))",
        ),
        rule(
            "words",
            0.69,
            r"\b(?:column|field|identifier)s?\b[^\n]{0,100}?\b(?:not found|unresolved|not present"
            r"|missing)\b",
            r"\b(?:column|field|identifier)s?\b[^\n]{0,100}?\b(?:does|do) ?n[o']t exist\b",
            r"\b(?:column|field|identifier)s?\b[^\n]{0,100}?\b(?:could not|cannot) be (?:found"
            r"|resolved)\b",
            r"\b(?:unknown|unresolved|invalid|unrecognized|missing|undefined|no such)\b"
            r"[^\n]{0,40}?\b(?:column|field|identifier)s?\b",
            r"\b(?:could ?n[o']t|cannot|can't|unable to) (?:find|resolve|locate)\b[^\n]{0,40}?\b"
            r"(?:column|field|identifier)s?\b",
            r"\bcolumn reference\b",
        ),
    ),
)
