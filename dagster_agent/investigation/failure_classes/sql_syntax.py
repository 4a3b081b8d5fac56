"""The database rejects the statement for its form.

Why it matters: the SQL of a model (or what Jinja made of it) is wrong; data has no part in it.
Here too: ambiguous columns, grouping and aggregate errors, set operations with different numbers
of columns, functions that do not exist, features that the database lacks.
Not here: errors of dbt and Jinja before any SQL exists (`compile_error`), names of columns and
relations (`missing_column`, `missing_relation`), a function that exists for other types
(`type_error`), Python's `SyntaxError` (`code_exception`).
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

SQL_SYNTAX = failure_class(
    id="sql-syntax",
    retryable=False,
    description=__doc__,
    rules=(
        rule(
            "mssql-code",
            0.86,
            r"\[42000\] \[[^\n]{0,400}?\((?:102|156|105|170|195|207\d|8120|4104)\)",
        ),
        rule(
            "near",
            0.96,
            r"\bsyntax error at or near\b",
            r"\bsyntax error at end of input\b",
            r"\bparser error: ",
            r"\bunterminated (?:quoted|string|comment|/\*)",
        ),
        rule(
            "psycopg-class",
            0.96,
            r"\bpsycopg\d?\.errors\.(?:syntaxerror|groupingerror|ambiguouscolumn)",
        ),
        rule(
            "snowflake",
            0.97,
            r"\b00100[03] \(\w{5}\)",
            r"\bsyntax error line \d+ at position\b",
            r"\bparse error line \d+ at position\b",
            r"\bsyntax error: (?:unexpected|expected|end of|illegal|unclosed)",
        ),
        rule(
            "bigquery",
            0.96,
            r"\bsyntax error: ",
            r"\bexpected (?:end of input|keyword \w+|end of statement) but got\b",
            r"\bunclosed (?:string literal|identifier literal|triple-quoted)",
        ),
        rule(
            "spark",
            0.97,
            r"\bparse_syntax_error\b",
            r"\bparseexception\b",
            r"\bsyntax error at or near\b",
            r"\b(?:extraneous|mismatched) input [^\n]{1,120}? expecting\b",
            r"\bno viable alternative at input\b",
            r"\b(?:missing_aggregation|missing_group_by|unclosed_bracketed_comment)\b",
        ),
        rule(
            "trino",
            0.96,
            r"\bname=syntax_error\b",
            r"\bline \d+:\d+: (?:mismatched|extraneous|missing) ",
        ),
        rule(
            "mysql",
            0.96,
            r"\byou have an error in your sql syntax\b",
            r"\bcheck the manual that corresponds to your\b",
            r"\bin key specification without a key length\b",
            mysql(1052, 1055, 1056, 1060, 1064, 1067, 1111, 1170, 1235, 1248, 1305),
        ),
        rule(
            "mssql",
            0.95,
            r"\bincorrect syntax near\b",
            r"\bunclosed quotation mark\b",
            mssql(102, 105, 116, 156, 170, 195, 205, 209, 1033, 4104, 8120, 8155, 8156),
            r"\bis not a recognized (?:built-in )?(?:function|option)\b",
        ),
        rule(
            "sqlite",
            0.93,
            r"\bnear \"[^\"\n]{0,80}\": syntax error",
        ),
        rule(
            "oracle",
            0.96,
            r"\bora-(?:009(?:00|05|06|07|11|17|20|22|23|24|33|36|37|79)|01756|00918)\b",
        ),
        rule(
            "clickhouse",
            0.9,
            r"\bcode: 62\b",
            clickhouse(42, 46, 48, 62, 179, 184, 207, 215),
            r"\bsyntax error: failed at position\b",
        ),
        rule(
            "fusion",
            0.95,
            r"\bdbt01(?:0[1-4]|30)\b",
            r"\bdbt02(?:13|1[678]|22|24|3[34]|49|54)\b",
        ),
        rule(
            "ambiguous",
            0.95,
            r"\bambiguous column\b",
            r"\bambiguous_reference\b",
            r"\bambiguous_name\b",
            r"\bcolumn (?:name |reference )?[^\n]{1,120}? is ambiguous\b",
            r"\bambiguous reference\b",
            r"\bambiguous reference to column\b",
            r"\breference [^\n]{1,120}? is ambiguous\b",
        ),
        rule(
            "grouping",
            0.95,
            r"\bmust appear in the group by clause\b",
            r"\bneither grouped nor aggregated\b",
            r"\bis not a valid group by expression\b",
            r"\b(?:neither present in|not in) (?:the )?group by\b",
            r"\b(?:must be an aggregate expression or appear in group by"
            r"|is invalid in the select list because)\b",
            r"\baggregate functions? (?:calls )?(?:are|is|cannot be|can't be) (?:not )?(?:allowed"
            r"|nested)",
            r"\bwhere clause cannot contain (?:aggregates|window)",
            r"\bwindow functions? (?:are|is|cannot|may) not\b",
            r"\bis not in aggregate function or group by\b",
            r"\b(?:unsupported subquery type|nested_aggregate_function)\b",
        ),
        rule(
            "set-operation",
            0.92,
            r"\beach (?:union|except|intersect) query must have the same number of columns\b",
            r"\bset operations? can only apply to expressions with the same number\b",
            r"\bqueries in (?:union|except|intersect) [^\n]{0,20}?have mismatched column count\b",
            r"\binvalid number of result columns for set operator\b",
            r"\bnum_columns_mismatch\b",
        ),
        rule(
            "unknown-function",
            0.9,
            r"\b(?:scalar |table |aggregate |macro )?function with name "
            r"[^\n]{1,120}? does not exist",
            r"\bunknown (?:user-defined )?(?:table )?functions?:? \S",
            r"\bfunction not found: ",
            r"\b(?:unresolved_routine|function_not_found|unknown_function|undefined function)\b",
            r"\bfunction [`\"'][^\n]{1,120}? (?:not found|not registered|does not exist"
            r"|is not recognized)",
            r"\b002140 \(",
        ),
        rule(
            "unsupported",
            0.86,
            r"\b0020(?:40|31) \(",
            r"\bunsupported feature\b",
            r"\bfeature [^\n]{1,80}? is not (?:supported|enabled)\b",
            r"\b(?:unsupported_feature|not_supported|featurenotsupported)\b",
        ),
        rule(
            "duplicate-name",
            0.86,
            r"\bduplicate column name\b",
            r"\bduplicate column names\b",
        ),
        rule(
            "empty-query",
            0.88,
            r"\bcan't execute an empty query\b",
            r"\bempty sql statement\b",
        ),
        rule(
            "sqlstate",
            0.82,
            sqlstate("42601", "42803", "42702", "42701", "42000", "0a000", "42p10"),
        ),
        rule(
            "place-in-statement",
            0.64,
            r"\bat \[\d+:\d+\]",
            r"\bline \d+,? (?:pos|at position|column|col)\b",
            r"\bline \d+:\d+: ",
        ),
        rule(
            "words",
            0.7,
            r"\bsql compilation error\b",
            r"\b(?:parser|binder|parse|planner|analysis) error\b",
            r"\b(?:analysis|semantic)exception\b",
            r"\bsql syntax error\b|\bsyntax error\b(?! in yaml)",
            r"\bunexpected token\b",
            r"\b(?:subquer\w+|aggregat\w+|window function|group by|having|union|select list)\b"
            r"[^\n]{0,80}?\b(?:not allowed|not supported|must|cannot|invalid|too many)\b",
            r"\bcannot use (?:aggregate|window)\b",
            r"\binvalidquery\b",
            r"\bmust be followed by\b",
        ),
    ),
)
