"""Which SQL functions a read-only statement may call: everything that is not listed is refused.

sqlglot knows some 570 functions by a class of their own; all others arrive by name
(`exp.Anonymous`) and are looked up per dialect. The lists stand in `vocabulary/`. A function of the
customer's own is refused even where its name is harmless, as soon as it is written with its schema;
without a schema it is not told apart from a built-in one: the role's grants are the boundary.
"""

from __future__ import annotations

from dagster_agent.sql.vocabulary.bigquery import BIGQUERY
from dagster_agent.sql.vocabulary.databricks import DATABRICKS
from dagster_agent.sql.vocabulary.duckdb import DUCKDB
from dagster_agent.sql.vocabulary.postgres import POSTGRES
from dagster_agent.sql.vocabulary.redshift import REDSHIFT
from dagster_agent.sql.vocabulary.shared import SHARED
from dagster_agent.sql.vocabulary.snowflake import SNOWFLAKE
from dagster_agent.sql.vocabulary.typed import HARMLESS, REFUSED


def _names(*texts: str) -> frozenset[str]:
    return frozenset(name for text in texts for name in text.split())


TYPED = _names(HARMLESS)
"""Classes of `sqlglot.exp` that only compute on their arguments."""

REFUSED_TYPED = _names(REFUSED)
"""Classes that reach outside (files, network, models, secrets), change state or tell who is logged
in, and those whose name has to be looked up first."""

_BY_NAME = {
    "bigquery": _names(SHARED, BIGQUERY),
    "databricks": _names(SHARED, DATABRICKS),
    "duckdb": _names(SHARED, DUCKDB),
    "postgres": _names(SHARED, POSTGRES),
    "redshift": _names(SHARED, REDSHIFT),
    "snowflake": _names(SHARED, SNOWFLAKE),
    "spark": _names(SHARED, DATABRICKS),
}

DIALECTS = tuple(sorted(_BY_NAME))
"""Dialects whose functions are known."""

_SPARK_TABLES = _names("""
    explode explode_outer inline inline_outer json_tuple posexplode posexplode_outer range
    sql_keywords stack variant_explode variant_explode_outer
""")
_TABLES = {
    "bigquery": frozenset[str](),
    "databricks": _SPARK_TABLES,
    "duckdb": _names("""
        generate_series generate_subscripts icu_calendar_names json_each json_tree
        pg_timezone_names range regexp_split_to_table repeat_row unnest
    """),
    "postgres": _names("""
        each generate_series generate_subscripts json_array_elements json_array_elements_text
        json_each json_each_text json_object_keys json_populate_record json_populate_recordset
        json_table json_to_record json_to_recordset jsonb_array_elements jsonb_array_elements_text
        jsonb_each jsonb_each_text jsonb_object_keys jsonb_path_query jsonb_populate_record
        jsonb_populate_recordset jsonb_to_record jsonb_to_recordset normal_rand regexp_matches
        regexp_split_to_table skeys st_dump st_dumppoints st_hexagongrid st_squaregrid
        string_to_table svals unnest
    """),
    "redshift": _names("generate_series json_array_elements json_each unnest"),
    "snowflake": _names("flatten generator split_to_table strtok_split_to_table"),
    "spark": _SPARK_TABLES,
}

TYPED_TABLES = _names("""
    Explode ExplodingGenerateSeries Flatten GapFill GenerateSeries Generator Inline JSONTable
    Posexplode PosexplodeOuter RegexpSplit SplitToTable Stack StrtokSplitToTable Unnest XMLTable
    _ExplodeOuter
""")
"""Classes that may stand in FROM. A function harmless elsewhere need not be so there: DuckDB's
`from histogram(t, c)` reads the table `t`."""

NETWORK_NAMES = _names("Host RegDomain public_suffix")
"""What BigQuery's `NET.` may be followed by: the parts of a URL."""


def known_by_name(name: str, dialect: str) -> bool:
    """Whether a function that sqlglot has no class for is known to be harmless there."""
    return name.lower() in _BY_NAME.get(dialect, frozenset())


def yields_table(name: str, dialect: str) -> bool:
    """Whether such a function may stand in FROM."""
    return name.lower() in _TABLES.get(dialect, frozenset())
