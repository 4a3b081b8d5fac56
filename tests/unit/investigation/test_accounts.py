"""Counting keys, arrivals and currencies where names, values and tables are unusual."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.connectors.warehouses.duckdb import DuckDBWarehouse
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.investigation.accounts.currencies import account_currencies
from dagster_agent.investigation.accounts.keys import KeyAccount, account_keys
from dagster_agent.investigation.accounts.loads import LoadAccount, LoadDay, account_loads
from dagster_agent.investigation.clues.arrivals import silence, thin_day, usual_pause
from dagster_agent.investigation.clues.join_changes import join_texts
from dagster_agent.investigation.clues.measures import (
    is_amount,
    is_converted,
    is_currency_name,
    is_rate,
)

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SOURCE, MODEL = "source.case.raw.t", "model.case.m"


def manifest(sql: str = "", **source: Any) -> Manifest:
    content = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "project_name": "case",
            "adapter_type": "duckdb",
        },
        "sources": {
            SOURCE: {
                "unique_id": SOURCE,
                "name": "t",
                "resource_type": "source",
                "relation_name": '"case"."main"."t"',
                **source,
            }
        },
        "nodes": {
            MODEL: {
                "unique_id": MODEL,
                "name": "m",
                "resource_type": "model",
                "relation_name": '"case"."main"."m"',
                "compiled_code": sql or None,
                "depends_on": {"nodes": [SOURCE]},
                "primary_key": ["schlüssel"] if "schlüssel" in sql else None,
            }
        },
    }
    return Manifest.from_bytes(json.dumps(content).encode())


@pytest.fixture
def table(tmp_path: Path) -> Any:
    """Creates the one table and gives what the accounts want."""

    def create(query: str) -> tuple[DuckDBWarehouse, Any]:
        with duckdb.connect(str(tmp_path / "case.duckdb")) as connection:
            connection.execute(f"create or replace table t as {query}")
        warehouse = DuckDBWarehouse(tmp_path / "case.duckdb")
        relation = manifest().asset(SOURCE).relation
        assert relation is not None
        return warehouse, warehouse.schemas([relation])[relation]

    return create


def counted(account: KeyAccount | None) -> tuple[int, int, int, int, int]:
    assert account is not None
    return (
        *(account.rows, account.repeated_keys, account.surplus_rows),
        *(account.identical_rows, account.null_keys),
    )


def test_keys_with_nulls_lists_and_odd_names(table: Any) -> None:
    warehouse, schema = table(
        """select * from (values (1, [1, 2], 'a'), (1, [1, 2], 'a'), (1, [3], null),
           (2, null, 'b'), (null, null, 'c'), (null, null, 'c')) as
           v("Schlüssel ""1"" x", "list of", "_fivetran_id")"""
    )
    account = account_keys(SOURCE, manifest(primary_key=['Schlüssel "1" x']), warehouse, schema)
    assert counted(account) == (6, 1, 2, 1, 2)
    assert account is not None
    assert account.newest_by is None


def test_the_key_of_what_copies_the_source(table: Any) -> None:
    warehouse, schema = table("select i as id, i as n from range(3) t(i)")
    copying = manifest('with s as (select * from t) select id as "schlüssel" from s')
    account = account_keys(SOURCE, copying, warehouse, schema)
    assert account is not None
    assert (account.key, account.source) == (("id",), "lineage")
    for sql in (
        'select id as "schlüssel" from "case"."main"."t" where n > 0',
        'select id as "schlüssel", count(*) as n from "case"."main"."t" group by 1',
        'select distinct id as "schlüssel" from "case"."main"."t"',
        'select id + 1 as "schlüssel" from "case"."main"."t"',
        'select a.id as "schlüssel" from t as a join t as b on a.n = b.id',
    ):
        found = account_keys(SOURCE, manifest(sql), warehouse, schema)
        assert found is not None
        assert found.source == "name"  # the column is called `id`; no model says that it is a key


def test_what_an_incremental_run_replaces_is_no_key_of_rows(table: Any) -> None:
    by_day: dict[str, Any] = {
        "config": {
            "materialized": "incremental",
            "incremental_strategy": "delete+insert",
            "unique_key": "day",
        }
    }
    warehouse, schema = table(
        "select date '2026-11-01' + i::int as day, kind from range(4) t(i), range(3) k(kind)"
    )
    assert account_keys(SOURCE, manifest(**by_day), warehouse, schema) is None
    merged = {"config": {**by_day["config"], "incremental_strategy": "merge"}}
    assert counted(account_keys(SOURCE, manifest(**merged), warehouse, schema))[2] == 8

    # a table with a row per day that was loaded twice
    warehouse, schema = table("select date '2026-11-01' + (i // 2)::int as day from range(8) t(i)")
    assert counted(account_keys(SOURCE, manifest(**by_day), warehouse, schema))[2] == 4


def test_an_empty_table_and_a_vanished_one(table: Any) -> None:
    warehouse, schema = table("select 1 as id, timestamp '2026-01-01' as loaded_at where false")
    assert counted(account_keys(SOURCE, manifest(primary_key=["id"]), warehouse, schema)) == (
        *(0, 0, 0, 0, 0),
    )
    loads = account_loads(SOURCE, manifest(), warehouse, schema, NOW)
    assert loads is not None
    assert (loads.rows, loads.newest, loads.by_day) == (0, None, ())
    assert account_keys(SOURCE, manifest(primary_key=["id"]), warehouse, None) is None
    assert account_keys(SOURCE, manifest(primary_key=["gone"]), warehouse, schema) is None
    assert account_loads(SOURCE, manifest(), warehouse, None, NOW) is None


def test_arrivals_by_a_text_column_and_not_of_the_future(table: Any) -> None:
    warehouse, schema = table(
        """select * from (values ('2026-11-19 05:00:00'), ('2026-11-19 06:00:00'),
           ('2026-11-20 06:00:00'), ('2999-01-01 00:00:00'), (null)) as v("Geladen am")"""
    )
    known = manifest(loaded_at_field='"Geladen am"')
    account = account_loads(SOURCE, known, warehouse, schema, NOW)
    assert account is not None
    assert (account.rows, account.column, account.load_time) == (5, "Geladen am", True)
    assert [(d.day, d.rows) for d in account.by_day] == [("2026-11-19", 2), ("2026-11-20", 1)]
    assert account.newest == datetime(2026, 11, 20, 6, tzinfo=UTC)


def test_a_declared_expression_and_one_that_reads_what_is_not_there(table: Any) -> None:
    warehouse, schema = table("select date '2026-11-20' as day, 6 as hour")
    known = manifest(loaded_at_field="day + to_hours(hour)")
    account = account_loads(SOURCE, known, warehouse, schema, NOW)
    assert account is not None
    assert account.newest == datetime(2026, 11, 20, 6, tzinfo=UTC)
    missing = account_loads(SOURCE, manifest(loaded_at_field="synced_at"), warehouse, schema, NOW)
    assert missing is not None
    assert (missing.column, missing.load_time) == ("day", False)


def test_currencies_with_odd_names_and_spellings(table: Any) -> None:
    warehouse, schema = table(
        """select * from (values (1.5, ' eur'), (2.5, 'EUR'), (3.0, 'usd'), (null, 'CHF'),
           (9, null), (1, 'unknown')) as v("Total Amount", "Währung_currency")"""
    )
    sql = 'select sum(coalesce("Total Amount", 0)) as "Summe ""1"" x" from "case"."main"."t" as x'
    account = account_currencies(MODEL, manifest(sql), warehouse, {SOURCE: schema})
    assert account is not None
    assert account.currency == "Währung_currency"
    assert account.by_currency == (("EUR", 2, 4.0), ("CHF", 1, 0.0), ("USD", 1, 3.0))


@pytest.mark.parametrize(
    "sql",
    [
        "",
        'select 1 as x from "case"."main"."t"',
        'select sum(amount) filter (where currency = \'EUR\') as eur from "case"."main"."t"',
        'select currency, sum(amount) as s from "case"."main"."t" group by all',
        'select sum(amount) over (partition by currency) as s from "case"."main"."t"',
        'select sum(amount * fx_rate) as s from "case"."main"."t"',
        'select sum(quantity) as s from "case"."main"."t"',
        'select sum(amount_usd) as s from "case"."main"."t"',
        'with e as (select * from "case"."main"."t" where currency = \'EUR\') '
        "select sum(amount) as s from e",
        'with e as (select amount * fx_rate as amount, currency from "case"."main"."t") '
        "select sum(amount) as s from e",
    ],
)
def test_currencies_that_are_not_mixed(table: Any, sql: str) -> None:
    warehouse, schema = table(
        "select i as amount, i as amount_usd, 1.1 as fx_rate, i as quantity, "
        "case when i < 5 then 'EUR' else 'USD' end as currency from range(10) t(i)"
    )
    assert account_currencies(MODEL, manifest(sql), warehouse, {SOURCE: schema}) is None


def test_currencies_of_a_union(table: Any) -> None:
    warehouse, schema = table(
        "select i as amount, case when i < 5 then 'EUR' else 'USD' end as currency "
        "from range(10) t(i)"
    )
    sql = (
        'with u as (select amount, currency from "case"."main"."t" '
        'union all select amount, currency from "case"."main"."t") select sum(amount) as s from u'
    )
    account = account_currencies(MODEL, manifest(sql), warehouse, {SOURCE: schema})
    assert account is not None
    assert account.by_currency == (("EUR", 10, 20.0), ("USD", 10, 70.0))


def loads(*gaps: float, now: datetime = NOW, **fields: Any) -> LoadAccount:
    """Arrivals, newest first, each so many days before the one after it."""
    moments = [now]
    for gap in gaps:
        moments.append(moments[-1] - timedelta(days=gap))
    days = tuple(
        LoadDay(day=f"{moment:%Y-%m-%d}", rows=100, newest=moment)
        for moment in reversed(moments[1:])
    )
    return LoadAccount(
        asset=SOURCE,
        column="loaded_at",
        rows=100 * len(days),
        newest=days[-1].newest,
        by_day=days,
        query="",
        load_time=True,
        **fields,
    )


@given(st.floats(min_value=0.5, max_value=5), st.floats(min_value=0, max_value=1))
def test_a_source_within_its_own_cadence_is_never_late(pause: float, share: float) -> None:
    assert silence(loads(pause * share, *[pause] * 10), NOW) is None


@given(st.floats(min_value=0.5, max_value=5), st.floats(min_value=2, max_value=9))
def test_a_source_that_pauses_twice_as_long_is_late(pause: float, factor: float) -> None:
    found = silence(loads(pause * factor + 0.3, *[pause] * 10), NOW)
    assert found is not None
    assert found.usual is not None
    assert abs(found.usual - timedelta(days=pause)) < timedelta(seconds=1)


def test_what_dbt_was_told_bounds_what_is_learned() -> None:
    daily = [1.0] * 10
    assert silence(loads(2.0, *daily), NOW) is not None
    assert silence(loads(2.0, *daily, warn_after_hours=60.0), NOW) is None
    assert silence(loads(0.8, *daily, error_after_hours=12.0), NOW) is not None
    assert silence(loads(2.0, *daily, off=True), NOW) is None
    assert silence(loads(70.0, *daily), NOW) is None
    assert silence(loads(70.0, *daily, error_after_hours=12.0), NOW) is not None
    assert usual_pause(loads(1.0, *[1.0] * 3).by_day) is None
    assert thin_day(loads(1.0, *daily), NOW) is None


@pytest.mark.parametrize(
    ("text", "joined", "expected"),
    [
        ("select * from a left join b on a.x = b.x", "b", ("on a.x = b.x", "")),
        ("select * from a JOIN  b\n ON a.x = b.x -- c\nwhere 1", "b", ("on a.x = b.x", "")),
        (
            "with b as (select distinct x from c) select 1 from a join b using (x)",
            "b",
            ("using (x", "select distinct x from c"),
        ),
        ("select * from a join bb on true", "b", ()),
        ("a join {{ ref('b') }} as b on a.x = b.x", "{{ ref('b') }}", ("as b on a.x = b.x", "")),
    ],
)
def test_join_texts(text: str, joined: str, expected: tuple[str, ...]) -> None:
    assert join_texts(text, joined) == expected


def test_names() -> None:
    amounts = ["amount", "total_amount", "totalPrice", "net_revenue", "refunded_amount"]
    others = ["order_count", "days_to_refund", "quantity", "discount_percent", "weight_grams", "id"]
    assert [n for n in amounts + others if is_amount(n)] == amounts
    names = ("total_eur", "amountUSD", "units_per_eur", "amount")
    assert [n for n in names if is_converted(n)] == ["total_eur", "amountUSD"]
    assert [n for n in ("units_per_eur", "fx_rate", "tax_rate", "minor_units") if is_rate(n)] == [
        "units_per_eur",
        "fx_rate",
    ]
    assert all(map(is_currency_name, ("currency", "ccy", "order_currency", "currency_code")))
    assert not any(map(is_currency_name, ("concurrency_limit", "current", "currency_rate")))
