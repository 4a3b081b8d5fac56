"""What `with` may describe, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_agent.errors import ConfigError
from dagster_agent.model import Asset
from dagster_agent.reconciliation.entries import entries_of
from dagster_agent.reconciliation.truths import (
    ApiRecords,
    AssetRecords,
    CallableRecords,
    CsvFile,
    DuckDBTable,
    JsonFile,
    ParquetFile,
    TargetTable,
)


def entries(item: Any) -> Any:
    return entries_of(
        Asset(
            unique_id="model.test.fct",
            name="fct",
            resource_type="model",
            meta={"dagster_agent": {"reconcile": [item]}},
        )
    )


PLACES: list[tuple[Any, type, str]] = [
    ({"duckdb": "p.duckdb", "table": "ledger.charges"}, DuckDBTable, "charges"),
    ({"target": "ledger", "table": "public.charges"}, TargetTable, "charges"),
    ({"target": "x", "profile": "other", "table": '"A"."B"'}, TargetTable, "B"),
    ({"csv": "exports/charges-*.csv", "delim": ";"}, CsvFile, "charges-*"),
    ({"parquet": "s3/charges.parquet"}, ParquetFile, "charges"),
    ({"json": "charges.jsonl", "format": "newline_delimited"}, JsonFile, "charges"),
    ({"api": {"url": "https://x.org/v1/charges?a=1", "records": "data"}}, ApiRecords, "charges"),
    ({"asset": "finance/ledger"}, AssetRecords, "ledger"),
    ({"callable": "shop.truths:charges"}, CallableRecords, "charges"),
]


@pytest.mark.parametrize(("given", "model", "label"), PLACES)
def test_places(given: dict[str, Any], model: type, label: str) -> None:
    (entry,) = entries({"with": given, "key": "id"})
    assert isinstance(entry.with_, model)
    assert entry.with_.label == label


def test_a_name_is_a_table() -> None:
    assert entries({"with": "ledger"})[0].with_ == "ledger"
    assert entries({"with": {"csv": "a.csv", "delim": ";"}})[0].with_.options == {"delim": ";"}


WRONG: list[tuple[Any, str, str]] = [
    ({"with": {"duckbd": "x", "table": "t"}}, "has one of the keys duckdb, target, csv", ""),
    ({"with": {"csv": "a.csv", "delimter": ";"}}, "'with.delimter'", "delim"),
    ({"with": {"api": {"url": "ftp://x"}}}, "with.api.url", ""),
    ({"with": {"api": {"url": "https://x", "recrods": "a"}}}, "'with.api.recrods'", "records"),
    (
        {"with": {"api": {"url": "https://x", "headers": {"Authorization": "Bearer abc def"}}}},
        "with.api.headers.Authorization",
        "",
    ),
    (
        {"with": {"api": {"url": "https://x", "pagination": {"kind": "pages"}}}},
        "with.api.pagination.kind",
        "",
    ),
    ({"with": {"callable": "no colon"}}, "with.callable", ""),
    ({"with": {"target": "x"}}, "with.table: field required", ""),
    ({"with": "x", "sample": {}}, "give either `rows` or `share`", ""),
    ({"with": "x", "sample": {"rows": 1000, "share": 0.1}}, "give either", ""),
    ({"with": "x", "watermark": {"our": "a"}}, "'watermark.our'", "ours"),
    ({"with": "x", "closed": {"column": "a", "grain": "week"}}, "closed.grain", ""),
    ({"with": "x", "metric": {"ours": "sum(a)"}}, "metric.theirs: field required", ""),
    ({"with": "x", "metric": {"ours": "a", "theirs": "b", "by": {}}}, "metric.by", ""),
    ({"with": "x", "columns": {"a": {"absolut": 1}}}, "'columns.a.absolut'", "absolute"),
    ({"with": "x", "tolerance": {"relativ": 1}}, "tolerance.relativ", "relative"),
    ({"with": "x", "tolerance": "lerned"}, "tolerance", ""),
    ({"with": "x", "day": ["a", "b"]}, "day", ""),
    ({"with": "x", "grouped": "mine"}, "grouped", ""),
    ({"with": 3}, "with", ""),
]


@pytest.mark.parametrize(("item", "named", "hint"), WRONG)
def test_what_is_wrong_is_named(item: Any, named: str, hint: str) -> None:
    with pytest.raises(ConfigError) as error:
        entries(item)
    assert "`reconcile[0]` of fct" in error.value.message
    assert named in error.value.message, error.value.message
    assert hint in error.value.hint, error.value.hint


def test_short_forms() -> None:
    (entry,) = entries(
        {
            "with": "x",
            "key": ["a", "b"],
            "columns": {"c": "lower(d)", "e": None},
            "measures": ["m"],
            "day": {"created_at": "booked_on"},
            "watermark": "updated_at",
            "tolerance": "learned",
        }
    )
    assert list(entry.key) == ["a", "b"]
    assert entry.columns["c"].theirs == "lower(d)"
    assert entry.columns["e"].theirs is None
    assert entry.day["created_at"].theirs == "booked_on"
    assert entry.watermark.ours == "updated_at"
    assert entry.tolerance == "learned"
