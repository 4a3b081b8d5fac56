"""How each dialect opens a JSON document, told in the pieces that one statement is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ELEMENTS = 20
"""Elements of an array that are looked at, the first ones."""

_DUCKDB_KINDS = """CASE
  WHEN {v} IS NULL THEN 'null'
  WHEN JSON_TYPE({v}) = 'VARCHAR' THEN 'string'
  WHEN JSON_TYPE({v}) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT') THEN 'integer'
  WHEN JSON_TYPE({v}) = 'DOUBLE' THEN 'number'
  ELSE LOWER(JSON_TYPE({v})) END"""
_POSTGRES_KINDS = """CASE
  WHEN JSONB_TYPEOF({v}) <> 'number' THEN JSONB_TYPEOF({v})
  WHEN CAST({v} AS TEXT) ~ '^-?[0-9]+$' THEN 'integer'
  ELSE 'number' END"""
_SNOWFLAKE_KINDS = """CASE
  WHEN {v} IS NULL OR TYPEOF({v}) = 'NULL_VALUE' THEN 'null'
  WHEN TYPEOF({v}) = 'VARCHAR' THEN 'string'
  WHEN TYPEOF({v}) IN ('DECIMAL', 'DOUBLE', 'REAL') THEN 'number'
  ELSE LOWER(TYPEOF({v})) END"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonGrammar:
    """The words of one dialect. `{v}` stands for a document, `{n}` for the alias of its rows."""

    document: str
    """A column of a semi-structured type as a document."""
    text: str
    """A text column as a document; NULL where it holds none."""
    kind: str
    """Its JSON type: string, integer, number, boolean, object, array or null."""
    each: str
    """The entries of an object, to be joined as `e`."""
    each_key: str = "e.key"
    """The key of an entry."""
    each_value: str = "e.value"
    """Its value."""
    elements: str = ""
    """The first elements of an array, to be joined as `e`; `each_value` is their value."""
    element: str = "e.value"
    """An element, joined so."""
    hours: str
    """Hours between the first and the last moment in a column `came`."""
    place: str = ""
    """What tells rows of a table that came later from earlier ones, where no column does."""
    keep: str = "MATERIALIZED "
    """Has what is read twice made once."""
    sample: str = ""
    """Reads a part of a table, `{percent}` of it, without looking at the rest."""


GRAMMARS: Mapping[str, JsonGrammar] = {
    "duckdb": JsonGrammar(
        document="CAST({v} AS JSON)",
        text="CASE WHEN JSON_VALID({v}) THEN CAST({v} AS JSON) END",
        kind=_DUCKDB_KINDS,
        each=", JSON_EACH({n}.v) AS e",
        elements=f", UNNEST(JSON_EXTRACT({{n}}.v, '$[*]')[1:{ELEMENTS}]) AS e(value)",
        hours="DATE_DIFF('hour', MIN(came), MAX(came))",
        place="rowid",
    ),
    "postgres": JsonGrammar(
        document="CAST({v} AS JSONB)",
        text="CASE WHEN {v} IS JSON THEN CAST({v} AS JSONB) END",
        kind=_POSTGRES_KINDS,
        each=" CROSS JOIN LATERAL JSONB_EACH("
        "CASE WHEN {n}.kind = 'object' THEN {n}.v END) AS e(key, value)",
        elements=" CROSS JOIN LATERAL JSONB_PATH_QUERY("
        f"CASE WHEN {{n}}.kind = 'array' THEN {{n}}.v END, '$[0 to {ELEMENTS - 1}]') AS e(value)",
        hours="CAST(EXTRACT(EPOCH FROM CAST(MAX(came) AS TIMESTAMP) - CAST(MIN(came) AS TIMESTAMP))"
        " / 3600 AS BIGINT)",
        place="ctid",
        sample="TABLESAMPLE SYSTEM ({percent})",
    ),
    "snowflake": JsonGrammar(
        document="TO_VARIANT({v})",
        text="TRY_PARSE_JSON({v})",
        kind=_SNOWFLAKE_KINDS,
        each=", LATERAL FLATTEN(INPUT => {n}.v) AS e",
        elements=", LATERAL FLATTEN(INPUT => {n}.v) AS e",
        hours="DATEDIFF('hour', MIN(came), MAX(came))",
        keep="",
        sample="SAMPLE SYSTEM ({percent})",
    ),
}
"""Dialects whose documents are looked into. In others nothing is, and the check says so."""
