"""What the statements of `pairing` yield, as a `RowDifference`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from dagster_agent.model import Cell, ResultTable
from dagster_agent.reconciliation.row_comparison.columns import ComparedColumn, ComparedColumns
from dagster_agent.reconciliation.row_comparison.difference import (
    ColumnDifference,
    PlanChosen,
    RowDifference,
)

TOTALS = (
    "rows_ours",
    "rows_theirs",
    "null_ours",
    "null_theirs",
    "buckets",
    "buckets_differing",
    "drilled",
    "missing",
    "extra",
    "changed",
    "keys_missing",
    "keys_extra",
    "duplicated_ours",
    "duplicated_theirs",
    "surplus_ours",
    "surplus_theirs",
)
"""Numbers of the row `total`, in this order."""

KINDS = ("missing", "extra", "changed", "duplicated", "duplicated there")
"""What can be wrong with a row or key; duplicated is meant in our table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawResult:
    """A statement's rows, read."""

    totals: Mapping[str, int]
    """By the names of `TOTALS`."""
    columns: tuple[ColumnDifference, ...]
    """Those that differ."""
    examples: ResultTable
    """As in `RowDifference`."""
    cells: int
    """Bytes of the texts that came."""
    rows: int
    """Rows that came."""


def read_result(table: ResultTable, columns: ComparedColumns) -> RawResult:
    """Read the rows that `pairing.result_rows` selects."""
    by_part: dict[str, list[tuple[Cell, ...]]] = {}
    for row in table.rows:
        by_part.setdefault(str(row[0]), []).append(row)
    (total,) = by_part["total"]
    numbers = [int(each) for each in str(total[1]).split("|")]
    examples = (line for kind in KINDS for line in _examples(kind, by_part.get(kind, ()), columns))
    header = ("difference", *(key.name for key in columns.keys), "column", "ours", "theirs")
    return RawResult(
        totals=dict(zip(TOTALS, numbers, strict=True)),
        columns=_columns(by_part.get("columns", ()), columns),
        examples=ResultTable(columns=header, rows=tuple(examples)),
        cells=sum(len(str(cell)) for row in table.rows for cell in row if cell is not None),
        rows=len(table.rows),
    )


def equal_result(counted: Mapping[str, int], columns: ComparedColumns) -> RawResult:
    """What `read_result` reads where nothing differs, from what was counted of `TOTALS`."""
    header = ("difference", *(key.name for key in columns.keys), "column", "ours", "theirs")
    return RawResult(
        totals={name: counted.get(name, 0) for name in TOTALS},
        columns=(),
        examples=ResultTable(columns=header, rows=()),
        cells=0,
        rows=1,
    )


def difference_of(raw: RawResult, *, plan: PlanChosen, queries: tuple[str, ...]) -> RowDifference:
    """The whole answer of one statement."""
    totals = raw.totals
    return RowDifference(
        **{name: totals[name] for name in _COPIED},
        keys_theirs=totals["rows_theirs"] - totals["null_theirs"] - totals["surplus_theirs"],
        columns=raw.columns,
        examples=raw.examples,
        plan=plan,
        queries=queries,
    )


_COPIED = (
    "rows_ours",
    "rows_theirs",
    "null_ours",
    "null_theirs",
    "missing",
    "extra",
    "changed",
    "keys_missing",
    "keys_extra",
    "duplicated_ours",
    "duplicated_theirs",
)


def _columns(
    rows: Sequence[tuple[Cell, ...]], columns: ComparedColumns
) -> tuple[ColumnDifference, ...]:
    if not rows or rows[0][1] is None:
        return ()
    found: list[ColumnDifference] = []
    for column, text in zip(columns.values, str(rows[0][1]).split(","), strict=True):
        count, *extremes = text.split(":")
        if int(count):
            largest, total = (float(e) if e else None for e in extremes or ("", ""))
            found.append(
                ColumnDifference(column=column.name, rows=int(count), largest=largest, total=total)
            )
    return tuple(found)


def _examples(
    kind: str, rows: Sequence[tuple[Cell, ...]], columns: ComparedColumns
) -> Iterator[tuple[Cell, ...]]:
    lines: list[tuple[Cell, ...]] = []
    for _, flags, keys, ours, theirs in rows:
        packed = _unpacked(str(keys))
        key = [_shown(t, c) for t, c in zip(packed, columns.keys, strict=True)]
        if kind.startswith("duplicated"):
            lines.append((kind, *key, None, int(str(ours)), int(str(theirs))))
        elif kind == "changed" or not columns.keys:
            lines += _cells(kind, key, str(flags), str(ours), str(theirs), columns)
        else:
            lines.append((kind, *key, None, None, None))
    yield from lines


def _cells(
    kind: str, key: list[Cell], flags: str, ours: str, theirs: str, columns: ComparedColumns
) -> Iterator[tuple[Cell, ...]]:
    one, other = _unpacked(ours), _unpacked(theirs)
    told = [column for column in columns.values if not column.hashed]
    wanted = flags or "1" * len(told)
    for column, flag, mine, there in zip(told, wanted, one, other, strict=True):
        if flag == "1":
            yield kind, *key, column.name, _shown(mine, column), _shown(there, column)


def _unpacked(text: str) -> list[str | None]:
    """What `pairing` packed: `<length>:<text>` one after the other, `-` for NULL."""
    found: list[str | None] = []
    at = 0
    while at < len(text):
        if text[at] == "-":
            found.append(None)
            at += 1
            continue
        colon = text.index(":", at)
        end = colon + 1 + int(text[at:colon])
        found.append(text[colon + 1 : end])
        at = end
    return found


def _shown(text: str | None, column: ComparedColumn) -> Cell:
    """The value that a text stands for; the text itself where it is none of its kind."""
    if text is None or column.text:
        return text
    with contextlib.suppress(ValueError, ArithmeticError):
        read = _NATIVE if column.native else _PLAIN
        return read.get(column.kind.name, _text)(text, column.kind.scale)
    return text


def _text(text: str, scale: int) -> Cell:  # noqa: ARG001 - one shape for all readers
    return text


def _scaled(text: str, scale: int) -> Cell:
    return Decimal(text).scaleb(-max(scale, 0))


def _moment(text: str, scale: int) -> Cell:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=1) * (int(text) / 10**scale)


_Read = Callable[[str, int], Cell]
_NATIVE: Mapping[str, _Read] = {
    "integer": lambda text, _: int(text),
    "decimal": lambda text, _: Decimal(text),
    "float": lambda text, _: float(text),
    "boolean": lambda text, _: text in ("true", "t"),
    "date": lambda text, _: date.fromisoformat(text),
    "timestamp": lambda text, _: datetime.fromisoformat(text),
}
_PLAIN: Mapping[str, _Read] = {
    "integer": lambda text, _: int(text),
    "decimal": _scaled,
    "float": lambda text, _: float(text),
    "date": lambda text, _: date(1970, 1, 1) + timedelta(days=int(text)),
    "timestamp": _moment,
}
