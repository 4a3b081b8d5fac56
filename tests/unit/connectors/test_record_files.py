"""Files that are broken somewhere: told to the line, never landed as a smaller or other table."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_agent.connectors.record_sources.files import Format, land_files
from dagster_agent.connectors.record_sources.landing import land_records, land_table
from dagster_agent.errors import ConnectorError

MANY = 30_000
"""Lines, more than DuckDB looks at to guess."""


def land(
    folder: Path, text: str | bytes, kind: Format = "csv", **options: Any
) -> list[tuple[Any, ...]]:
    """The rows of a file with that text."""
    path = folder / f"a.{kind}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(folder, f"a.{kind}", kind, options)


def read(
    folder: Path, pattern: str, kind: Format, options: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    database = folder / "landed.duckdb"
    database.unlink(missing_ok=True)
    land_files(pattern, kind, database, base_dir=folder, options=options)
    with duckdb.connect(str(database)) as connection:
        return connection.execute("from main.records").fetchall()


RAGGED = {
    "short": ("id,amount\n1,2\n3\n4,5\n", "line 3 has 1 instead of 2 values"),
    "short at the end": ("id,amount\n" + "1,2\n" * MANY + "3\n", "line 30,002 has 1 instead of 2"),
    "long": ("id,amount\n1,2\n3,4,5\n", "line 3 has 3 instead of 2 values"),
    "long at the end": ("id,amount\n" + "1,2\n" * MANY + "3,4,5\n", "line 30,002 has 3 instead of"),
    "all short": ("id,amount,note\n1,2\n3,4\n", "line 2 has 2 instead of 3 values"),
    "all long": ("id,amount\n1,2,3\n4,5,6\n", "line 2 has 3 instead of 2 values"),
    "open quote": ('id,note\n1,"abc"\n2,"de', "line 3: a quote is opened and never closed"),
    "comment": ("id,amount\n1,2\n# by hand\n3,4\n", "line 3 has 1 instead of 2 values"),
    "preamble": ("Report of today\nid,amount\n1,2\n", "its first line is no table"),
    "free text": ("note\nhello\nworld, here\n", "its first 2 lines are no table"),
    "no header": ("1,2\n3,4\n", "does not tell whether it has a header"),
    "two of a name": ("id,ID\n1,2\n", "its columns 'id' and 'ID' would be the same"),
    "latin": ("id,name\n1,Müller\n".encode("latin-1"), "it is no UTF-8"),
}


@pytest.mark.parametrize(("text", "match"), RAGGED.values(), ids=RAGGED)
def test_a_line_that_does_not_fit_is_named(tmp_path: Path, text: str | bytes, match: str) -> None:
    with pytest.raises(ConnectorError, match=match):
        land(tmp_path, text)


def test_what_the_customer_says_of_a_file_is_believed(tmp_path: Path) -> None:
    assert land(tmp_path, RAGGED["preamble"][0], skip=1) == [(1, 2)]
    assert land(tmp_path, RAGGED["comment"][0], comment="#") == [(1, 2), (3, 4)]
    assert land(tmp_path, RAGGED["no header"][0], header=False) == [(1, 2), (3, 4)]
    assert land(tmp_path, RAGGED["latin"][0], encoding="latin-1") == [(1, "Müller")]
    assert land(tmp_path, "2024,2025\n1,2\n", header=True) == [(1, 2)]


def test_no_row_is_taken_for_a_comment(tmp_path: Path) -> None:
    assert land(tmp_path, "id,amount\n1,2\n#3,4\n") == [("1", 2), ("#3", 4)]


def test_what_looks_odd_and_is_whole(tmp_path: Path) -> None:
    assert land(tmp_path, "\nid,amount\n\n1,2\n\n3,4") == [(1, 2), (3, 4)]
    assert land(tmp_path, b"\xef\xbb\xbfid,amount\r\n1,2\r\n") == [(1, 2)]
    assert land(tmp_path, 'id,note\n1,5" pipe\n2,"a ""b"", c"\n') == [
        (1, '5" pipe'),
        (2, 'a "b", c'),
    ]
    assert land(tmp_path, "id;note\n1;'a;b'\n2;'c'\n") == [(1, "a;b"), (2, "c")]
    assert land(tmp_path, "name,city\nada,berlin\n") == [("ada", "berlin")]


def test_a_header_alone_is_no_rows_with_columns(tmp_path: Path) -> None:
    assert land(tmp_path, "id,amount\n") == []
    with duckdb.connect(str(tmp_path / "landed.duckdb")) as connection:
        described = connection.execute("describe main.records").fetchall()
    assert [row[0] for row in described] == ["id", "amount"]


def test_files_of_several_writers_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("id,amount\n1,2\n")
    (tmp_path / "2.csv").write_text("amount;id\n4;3\n")
    (tmp_path / "3.csv").write_text("id,amount\n")
    with gzip.open(tmp_path / "4.csv.gz", "wt") as file:
        file.write("id,amount\n5,6\n")
    assert sorted(read(tmp_path, "*.csv*", "csv", {})) == [(1, 2), (3, 4), (5, 6)]
    (tmp_path / "5.csv").write_text("")
    with pytest.raises(ConnectorError, match=r"5.csv: is empty: it has not even a header"):
        read(tmp_path, "*.csv*", "csv", {})


def test_a_file_that_grows_is_told_even_where_its_last_line_is_half_written(
    tmp_path: Path,
) -> None:
    path, stop = tmp_path / "a.csv", threading.Event()
    path.write_text("id,amount\n" + "1,2\n" * MANY)

    def write() -> None:
        with path.open("a") as file:
            while not stop.wait(0.0005):
                file.write("1")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(ConnectorError, match="changed while it was read") as error:
            read(tmp_path, "a.csv", "csv", {})
    finally:
        stop.set()
        writer.join()
    assert error.value.retryable


NO_RECORDS = {
    "[]": "holds 0 records",
    "": "is empty",
    "{}": "holds 1 records without a field",
    "[{}, {}]": "holds 2 records without a field",
    "[1, 2]": "holds 2 of 2 values that are no records",
    '[{"id": 1}, 5]': "holds 1 of 2 values that are no records",
    '[{"id": 1}]\n[{"id": 2}]': "holds 2 of 2 values that are no records",
    '[{"id": 1}, {"id": 2': "Malformed JSON",
    '{"id": 1}\n{"id"': "Malformed JSON",
    '[{"id": 1, "ID": 2}]': "a field 'ID' and another that differs only in letter case",
}


@pytest.mark.parametrize(("text", "match"), NO_RECORDS.items())
def test_json_that_is_no_list_of_records(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(ConnectorError, match=match):
        land(tmp_path, text, "json")


def test_json_that_looks_odd_and_is_whole(tmp_path: Path) -> None:
    assert land(tmp_path, '[{"json": 1}]', "json") == [(1,)]
    assert land(tmp_path, '[{"total": 1, "Total_2": 2}]', "json") == [(1, 2)]
    (tmp_path / "b.json").write_text("[]")
    assert read(tmp_path, "*.json", "json", {}) == [(1, 2)]


AWARE, NAIVE = "2026-11-01 10:00:00+02", "2026-11-01 10:00:00"
MIXED = [
    [AWARE, NAIVE],
    [NAIVE, "2026-11-01T10:00:00Z"],
    ["2026-11-01T10:00:00.5Z", "2026-11-01T11:00:00.25"],
    ["2026-11-01 10:00:00 UTC", NAIVE],
    ["2026-11-01", "2026-11-01 11:00:00+01:00"],
]
PLAIN = [
    [AWARE, "2026-11-01 10:00:00+00"],
    [NAIVE, "2026-11-01 11:00:00"],
    ["2026-11-01", NAIVE],
    ["at 10:00:00+02", NAIVE],
]


@pytest.mark.parametrize("moments", MIXED)
def test_moments_with_and_without_a_zone_in_one_column(tmp_path: Path, moments: list[str]) -> None:
    match = "at has a time zone in 1 values and none in 1"
    with pytest.raises(ConnectorError, match=match):
        land(tmp_path, "id,at\n" + "".join(f"{n},{text}\n" for n, text in enumerate(moments)))
    records = [{"id": n, "at": text} for n, text in enumerate(moments)]
    database = tmp_path / "records.duckdb"
    with pytest.raises(ConnectorError, match=match):
        land_records(records, database, name="ledger")
    frame = pd.DataFrame({"at": moments})
    with pytest.raises(ConnectorError, match=match):
        land_table(frame, tmp_path / "table.duckdb", name="ledger")


@pytest.mark.parametrize("moments", PLAIN)
def test_moments_of_one_sort_and_other_texts_are_kept(tmp_path: Path, moments: list[str]) -> None:
    text = "id,at\n" + "".join(f"{n},{text}\n" for n, text in enumerate(moments))
    assert len(land(tmp_path, text)) == 2


def test_days_that_do_not_tell_the_day_from_the_month(tmp_path: Path) -> None:
    text = "id,at\n1,11/12/2026\n2,03/04/2026\n"
    with pytest.raises(ConnectorError, match="at does not tell the day from the month"):
        land(tmp_path, text)
    assert land(tmp_path, text, dateformat="%m/%d/%Y")[0] == (1, date(2026, 11, 12))
    assert land(tmp_path, "id,at\n1,11/12/2026\n2,13/04/2026\n")[0] == (1, date(2026, 12, 11))
    assert land(tmp_path, "id,at\n1,01/01/2026\n") == [(1, date(2026, 1, 1))]
    assert land(tmp_path, "id,at\n1,2026-11-12\n") == [(1, date(2026, 11, 12))]


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)


@settings(max_examples=8)
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8))
def test_a_written_table_lands_as_it_is_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("csv")

    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    text = "".join(",".join(map(quoted, row)) + "\n" for row in [("one", "two"), *rows])
    try:
        found = land(folder, text, all_varchar=True)
    except ConnectorError:
        return
    assert [tuple(cell or "" for cell in row) for row in found] == rows
