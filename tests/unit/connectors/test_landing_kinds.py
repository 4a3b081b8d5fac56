"""Records whose fields are of two kinds: told exactly, or refused by name; never quietly text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs] # it ships none
import pytest

from dagster_agent.connectors.record_sources.files import land_files
from dagster_agent.connectors.record_sources.landing import land_records, land_table
from dagster_agent.errors import ConnectorError

NAIVE = datetime(2026, 11, 1)  # noqa: DTZ001 # naive ones are what this is about
NAN = float("nan")


def landed(database: Path) -> tuple[Mapping[str, str], list[tuple[Any, ...]]]:
    with duckdb.connect(str(database)) as connection:
        types = connection.execute("describe records").fetchall()
        return {row[0]: row[1] for row in types}, connection.execute("from records").fetchall()


REFUSED: list[tuple[list[dict[Any, Any]], list[str]]] = [
    ([{"at": NAIVE}, {"at": NAIVE.replace(tzinfo=UTC)}], ["record 2", "its at is a datetime with time zone and was a datetime without time zone before", "give all of them a time zone, or none"]),  # noqa: E501
    ([{"at": NAIVE}, {"at": date(2026, 1, 1)}], ["its at is a date and was a datetime without time zone before"]),  # noqa: E501
    ([{"a": 1}, {"A": 2}], ["record 2", "'A'", "'a'", "same column", "rename one"]),
    ([{"a": 1, "A": 2}], ["record 1", "'A'", "'a'"]),
    ([{1: 1, "1": 2}], ["'1'", "the field 1"]),
    ([{"": 1}], ["a field has no name"]),
    ([{}], ["ledger yielded 1 records without a field"]),
    ([{}] * 1200, ["ledger yielded 1,200 records without a field"]),
    ([{"ok": 1, "x": NAN}], ["record 1", "its x is nan", "yield None"]),
    ([{"ok": 1, "x": Decimal("NaN")}], ["its x is NaN", "yield None"]),
    ([{"ok": 1, "x": Decimal("sNaN")}], ["its x is sNaN"]),
    ([{"ok": 1, "x": Decimal("-Infinity")}], ["its x is -Infinity"]),
    ([{"x": pd.NaT}], ["its x is NaT"]),
    ([{"ok": 1, "x": b"1"}], ["its x is of bytes"]),
]  # fmt: skip


@pytest.mark.parametrize(("records", "words"), REFUSED)
def test_what_is_refused_is_named(
    tmp_path: Path, records: Sequence[Mapping[str, Any]], words: Sequence[str]
) -> None:
    with pytest.raises(ConnectorError) as caught:
        land_records(records, tmp_path / "t.duckdb", name="ledger")
    assert [word for word in words if word not in caught.value.message] == []
    assert caught.value.hint


def test_moments_stay_moments(tmp_path: Path) -> None:
    later = NAIVE.replace(microsecond=5)
    rows: list[dict[str, Any]] = [
        {"at": NAIVE, "on": NAIVE.date(), "of": time(1), "zoned": NAIVE.replace(tzinfo=UTC)},
        {"at": later, "on": None, "of": time(1, 2, 3, 4), "zoned": later.replace(tzinfo=UTC)},
    ]
    land_records(rows, tmp_path / "t.duckdb", name="ledger")
    types, found = landed(tmp_path / "t.duckdb")
    assert list(types.values()) == ["TIMESTAMP", "DATE", "TIME", "TIMESTAMP WITH TIME ZONE"]
    assert [row[:3] for row in found] == [tuple(row.values())[:3] for row in rows]
    assert [row[3].timestamp() for row in found] == [row["zoned"].timestamp() for row in rows]


@pytest.mark.parametrize(
    "one", [1, 1.0, Decimal(1), Decimal("1.00"), Decimal("1E+0"), Decimal("1.000000000000000000")]
)
def test_a_number_beside_one_that_no_double_holds_is_exact(tmp_path: Path, one: Any) -> None:
    values = [Decimal("1e400"), one, Decimal("-0.0"), 0.5, Decimal("0.10"), 10**20]
    rows = [{"x": value} for value in values]
    land_records(rows, tmp_path / "t.duckdb", name="ledger")
    types, found = landed(tmp_path / "t.duckdb")
    assert types == {"x": "VARCHAR"}
    texts = ["1" + "0" * 400, "1", "0", "0.5", "0.1", "1" + "0" * 20]
    assert [row[0] for row in found] == texts


def test_hundreds_of_sparse_fields_stay_columns(tmp_path: Path) -> None:
    rows = [{"id": i, f"k{i}": i} for i in range(300)]
    land_records(rows, tmp_path / "t.duckdb", name="ledger")
    assert len(landed(tmp_path / "t.duckdb")[0]) == 301
    (tmp_path / "a.json").write_text(str(rows).replace("'", '"'))
    land_files("a.json", "json", tmp_path / "u.duckdb", base_dir=tmp_path)
    assert len(landed(tmp_path / "u.duckdb")[0]) == 301


def test_a_table_that_duckdb_cannot_take_is_the_sources_trouble(tmp_path: Path) -> None:
    arrow: Any = pa
    table = arrow.table({"x": arrow.array([2**200], arrow.decimal256(70, 0))})
    with pytest.raises(ConnectorError, match="frame cannot be read") as caught:
        land_table(table, tmp_path / "t.duckdb", name="frame")
    assert caught.value.hint


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_a_file_without_a_byte_proves_nothing(tmp_path: Path, kind: Any) -> None:
    (tmp_path / f"a.{kind}").touch()
    with pytest.raises(ConnectorError, match=rf"a.{kind} is empty") as caught:
        land_files(f"a.{kind}", kind, tmp_path / "t.duckdb", base_dir=tmp_path)
    assert "proves nothing" in (caught.value.hint or "")
