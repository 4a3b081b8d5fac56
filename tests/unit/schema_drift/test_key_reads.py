"""Whether a query takes a key out of a JSON column, in the dialects' own ways."""

from __future__ import annotations

import pytest

from dagster_agent.schema_drift.json_keys import Path
from dagster_agent.schema_drift.key_reads import KeyUse, key_use

AMOUNT, EMAIL, SKU = ("amount",), ("user", "email"), ("items", "[]", "sku")


@pytest.mark.parametrize(
    ("dialect", "code", "read"),
    [
        ("duckdb", "select payload->>'$.amount' from t", [AMOUNT]),
        ("duckdb", "select payload->>'amount' from t", [AMOUNT]),
        ("duckdb", "select payload['amount'] from t", [AMOUNT]),
        ("duckdb", "select json_extract_string(payload, '$.items[0].sku') from t", [SKU]),
        ("duckdb", "select unnest(payload->'$.items[*].sku') from t", [SKU]),
        ("duckdb", "select PAYLOAD->'user'->>'email' from t", [EMAIL]),
        ("duckdb", "select payload->'user' as u from t", [EMAIL]),
        ("duckdb", "select payload->>'Amount' from t", []),
        (
            "duckdb",
            "with s as (select payload::json p from t) select p->>'amount' from s",
            [AMOUNT],
        ),
        ("duckdb", "select json_extract(payload, '$.' || k), 'amount' from t, keys", [AMOUNT]),
        ("duckdb", "select e.key from t, json_each(payload) e where e.key = 'amount'", [AMOUNT]),
        ("duckdb", "select count(*) amount from t where payload is not null", []),
        ("postgres", "select payload#>>'{user,email}' from t", [EMAIL]),
        ("postgres", "select (payload::jsonb)->'items'->0->>'sku' from t", [SKU]),
        ("postgres", "select jsonb_extract_path_text(payload, 'user', 'email') from t", [EMAIL]),
        ("postgres", "select 1 from t where payload ? 'amount'", [AMOUNT]),
        ("snowflake", "select payload:amount::number from t", [AMOUNT]),
        ("snowflake", "select parse_json(payload):user.email::string from t", [EMAIL]),
        (
            "snowflake",
            "select f.value:sku from t, lateral flatten(input => payload:items) f",
            [SKU],
        ),
        ("bigquery", "select json_value(payload, '$.user.email') from t", [EMAIL]),
        ("bigquery", "select payload.amount from t", [AMOUNT]),
        ("databricks", "select get_json_object(payload, '$.amount') from t", [AMOUNT]),
        ("duckdb", "select payload ->> 'amount' from {{ source('raw', 't') }}", [AMOUNT]),
        ("duckdb", "def model(dbt, session): return row['payload']['amount']", [AMOUNT]),
    ],
)
def test_what_is_read(dialect: str, code: str, read: list[Path]) -> None:
    found = [
        path
        for path in (AMOUNT, EMAIL, SKU)
        if key_use(code, "payload", path, dialect=dialect).reads
    ]
    assert found == read


@pytest.mark.parametrize(
    ("code", "onward"),
    [
        ("select id, payload from t", ("payload",)),
        ("select payload::json as body from t where payload is not null", ("body",)),
        ("select payload p from t union all select payload from t", ("p", "payload")),
        ("with s as (select payload as p from t) select p as doc from s", ("doc",)),
        ("select payload->>'amount' as amount from t", ()),
        ("select id from t where payload is not null", ()),
    ],
)
def test_whole_documents_are_handed_on(code: str, onward: tuple[str, ...]) -> None:
    found = key_use(code, "payload", SKU, dialect="duckdb")
    assert found == KeyUse(reads=False, onward=onward)


def test_what_is_read_of_a_map() -> None:
    code = "select payload->'prices'->>'usd' from t"
    assert key_use(code, "payload", ("prices", "*"), dialect="duckdb").reads
    assert not key_use(code, "payload", ("taxes", "*"), dialect="duckdb").reads
