"""A statement names a table, view, schema or file of data that is not there, or not visible.

Why it matters: it was dropped or renamed, never loaded, or lives in another schema or location.
Snowflake says "does not exist or not authorized" for both; that is a missing relation here, with
lower confidence. So are a table alias that is not in the FROM clause, and a path of a data lake.
Not here: a `ref()` or `source()` that dbt cannot find (`compile_error`), a database that the
connection names (`config_env`), BigQuery's "does not have permission ..., or perhaps it does not
exist" (`auth_permission`).
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

_KINDS = (
    r"(?:table or view|table|view|materialized view|database|relation|schema|catalog|dataset"
    r"|namespace)"
)

MISSING_RELATION = failure_class(
    id="missing-relation",
    retryable=False,
    description=__doc__,
    rules=(
        rule(
            "duckdb-catalog",
            0.97,
            r"\b(?:table|view|schema|catalog) with name [^\n]{1,300}? does not exist",
            r"\bno catalog \+ schema named\b",
            r"\bcatalog [\"'`][^\n]{1,120}?[\"'`] does not exist",
        ),
        rule(
            "alias",
            0.9,
            r"\breferenced table [^\n]{1,200}? not found",
            r"\bmissing from-clause entry for table\b",
            r"\binvalid reference to from-clause entry for table\b",
        ),
        rule(
            "does-not-exist",
            0.95,
            rf"\b{_KINDS} \S{{1,300}} (?:does not|doesn't) exist(?! or not)",
            r"\bobject does not exist, or operation cannot be performed",
            r"\b(?:table|view|relation) [\"'`][^\n]{1,200}?[\"'`] (?:does not|doesn't) exist",
        ),
        rule(
            "psycopg-class",
            0.96,
            r"\bundefinedtable(?:error)?\b",
            r"\binvalidschemaname\b",
        ),
        rule(
            "snowflake-object",
            0.86,
            r"\b(?:object|table|view|schema|database|stage|stream|share|sequence|table function)s?"
            r"[^\n]{0,300}? does not exist or not authorized",
            r"\b00200[13] \(",
            r"\b002043 \(",
        ),
        rule(
            "bigquery-not-found",
            0.97,
            r"\bnot found: (?:table|dataset|view|model|materialized view)\b",
            r"\bwas not found in location\b",
            r"\bdoes not match any table\b",
            r"\bmust be qualified with a dataset\b",
        ),
        rule(
            "spark-condition",
            0.97,
            r"\b(?:table_or_view_not_found|schema_not_found|catalog_not_found"
            r"|no_such_catalog\w*)\b",
            r"\btable or view not found\b",
            r"\bnosuch(?:table|namespace|database|object|view)(?:exception|error)\b",
            r"\bdelta_(?:missing_delta_table|table_not_found|path_does_not_exist)\b",
            r"\bis not a delta table\b",
        ),
        rule(
            "trino",
            0.96,
            r"\bname=(?:table|schema|catalog)_not_found\b",
            r"\b(?:table|schema|catalog)_not_found\b",
        ),
        rule(
            "lake-path",
            0.88,
            r"\bpath_not_found\b",
            r"\bpath does not exist\b",
            r"\bno files found that match the pattern\b",
            r"\bmatched no files\b",
            r"\b(?:s3[an]?|gs|abfss?|wasbs?|dbfs|hdfs):/\S{1,400} (?:does not exist|(?:was )?not"
            r" found)\b",
            r"\bremote file [^\n]{1,200} was not found\b",
            r"\bnot found: (?:uri|files?)\b",
            r"\bno such file or directory: ?[\"']?(?:s3|gs|abfss?|wasbs?|dbfs)[:/]",
            r"\b(?:nosuchkey|the specified key does not exist)\b",
        ),
        rule(
            "mysql",
            0.96,
            r"\btable '[^'\n]{1,200}' doesn't exist",
            r"\bunknown (?:table|database) '",
            mysql(1051, 1146),
        ),
        rule(
            "hive",
            0.9,
            r"\bcould not resolve table reference\b",
            r"\berror 10001\b",
            r"\btablenotfound(?:error|exception)\b",
        ),
        rule(
            "sqlite",
            0.95,
            r"\bno such (?:table|view)\b",
        ),
        rule(
            "mssql",
            0.95,
            r"\binvalid object name\b",
            mssql(208, 2760, 3701, 4902),
            r"\bcannot (?:find|drop|alter) the (?:object|table|view) ",
        ),
        rule(
            "oracle",
            0.97,
            r"\bora-00942\b",
            r"\bora-04043\b",
        ),
        rule(
            "clickhouse",
            0.95,
            r"\bunknown_(?:table|database)\b",
            clickhouse(60, 81, 107),
        ),
        rule(
            "glue",
            0.93,
            r"\bentitynotfoundexception\b",
        ),
        rule(
            "fusion",
            0.95,
            r"\bdbt02(?:14|15|25|45|46)\b",
        ),
        rule(
            "sqlstate",
            0.84,
            sqlstate("42p01", "42s02", "3f000", "42704", "02000"),
        ),
        rule(
            "not-found",
            0.88,
            rf"\b{_KINDS} \S{{1,200}} (?:was |is )?not found",
            rf"\b{_KINDS} \S{{1,200}} (?:could not|cannot) be found",
            rf"\b{_KINDS} [^\n]{{1,120}}? no longer exists",
            rf"\b{_KINDS} [^\n]{{1,120}}? (?:was|has been) (?:dropped|deleted)",
            rf"\b(?:could not|cannot|can't|unable to) find (?:the )?{_KINDS} ",
        ),
        rule(
            "words",
            0.68,
            r"\b(?:table|view|relation|dataset|schema|database)s?\b[^\n]{0,100}?\bnot found\b",
            r"\b(?:table|view|relation|dataset|schema|database)s?\b[^\n]{0,100}?\bdoes ?n"
            r"[o']t exist\b",
            r"\b(?:table|view|relation|dataset|schema|database)s?\b[^\n]{0,100}?\bbe found\b",
            r"\b(?:unknown|unresolved|missing|undefined|no such|nonexistent)\b[^\n]{0,30}?\b"
            r"(?:table|view|relation|dataset|schema)\b",
            r"\b(?:could ?n[o']t|cannot|can't|unable to) (?:find|resolve|locate)\b[^\n]{0,40}?\b"
            r"(?:table|view|relation|dataset|schema)\b",
            r"\btablenotfound\w*",
        ),
    ),
)
