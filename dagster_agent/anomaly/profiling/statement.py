"""One statement that measures a table, or as few as the engine's limits allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dagster_agent.anomaly.profiling.aggregates import Output, sample_outputs, whole_outputs
from dagster_agent.anomaly.profiling.grammar import Grammar
from dagster_agent.anomaly.profiling.kinds import Kind, MeasuredColumn

MAX_OUTPUTS = 800
"""Output columns of one statement; PostgreSQL's limit is 1664, and longer ones parse slowly."""
_PAIR = ("different", "once")
"""Values in the sample, and those of them that are there once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """The rows that are measured."""

    relation: str
    """The table as it stands in FROM."""
    view: bool
    """It is a view, whose blocks cannot be sampled."""
    share: float
    """Of the rows that make up the sample; 1 for all."""
    sample_only: bool
    """Nothing but the sample may be read."""

    def picked(self, columns: str, grammar: Grammar) -> str:
        """A query for those columns of the sample."""
        return grammar.sampled(
            columns, self.relation, self.share, view=self.view, blocks=self.sample_only
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One SELECT with one row."""

    sql: str
    """In the dialect."""
    columns: tuple[MeasuredColumn, ...]
    """Measured by it."""
    outputs: tuple[Output, ...]
    """After the number of rows and the number of rows sampled, in the order of the result."""


def statements(
    deep: Sequence[MeasuredColumn],
    shallow: Sequence[MeasuredColumn],
    extent: Extent,
    grammar: Grammar,
    edges: Mapping[str, Sequence[float]],
) -> Iterator[Statement]:
    """Statements that measure the columns, each at least once and in order.

    Args:
        deep: Columns to measure in full.
        shallow: Columns whose NULLs are counted.
        extent: Which rows.
        grammar: Of the dialect.
        edges: Cuts of histograms, by column, as far as they are known.
    """
    pending: list[tuple[MeasuredColumn, list[Output], list[Output]]] = []
    size = 0
    for column in (*deep, *shallow):
        full = column in deep
        of_all = whole_outputs(column, grammar, deep=full, exact=extent.share >= 1)
        of_some = sample_outputs(column, grammar, edges.get(column.name)) if full else []
        of_some += _distinct_outputs(column, grammar) if full else []
        if pending and size + len(of_all) + len(of_some) > MAX_OUTPUTS:
            yield _statement(pending, extent, grammar)
            pending, size = [], 0
        pending.append((column, of_all, of_some))
        size += len(of_all) + len(of_some)
    yield _statement(pending, extent, grammar)


def _statement(
    parts: Sequence[tuple[MeasuredColumn, list[Output], list[Output]]],
    extent: Extent,
    grammar: Grammar,
) -> Statement:
    of_all = [output for _, found, _ in parts for output in found]
    of_some = [output for _, _, found in parts for output in found if output.field not in _PAIR]
    counted = [output for _, _, found in parts for output in found if output.field in _PAIR]
    everywhere = extent.sample_only or extent.share >= 1
    whole = ", ".join(["count(*) AS n", *_aliased("a", of_all)])
    part = ", ".join(["count(*) AS m", *_aliased("s", of_some)])
    names = [grammar.name(c.name) for c, _, found in parts if found or everywhere]
    sampled = extent.picked(", ".join(names) or "1 AS nothing", grammar)
    sql = f"WITH picked AS ({sampled}) "
    if not everywhere:
        sql += f"SELECT * FROM (SELECT {whole} FROM {extent.relation}) AS w"
        sql += f" CROSS JOIN (SELECT {part} FROM picked) AS p"
    elif counted or extent.sample_only:
        sql += f"SELECT * FROM (SELECT {whole}, {part} FROM picked) AS w"
    else:
        sql = f"SELECT {whole}, {part} FROM {extent.relation}"
    for index in range(0, len(counted), 2):
        sql += f" CROSS JOIN ({_frequencies(counted[index].sql, index)}) AS f{index}"
    sampled_rows = Output(column="", field="sampled", sql="count(*)")
    return Statement(
        sql=sql,
        columns=tuple(column for column, _, _ in parts),
        outputs=(*of_all, sampled_rows, *of_some, *counted),
    )


def _aliased(letter: str, outputs: Sequence[Output]) -> Iterator[str]:
    return (f"{output.sql} AS {letter}{index}" for index, output in enumerate(outputs))


def _distinct_outputs(column: MeasuredColumn, grammar: Grammar) -> list[Output]:
    """Where there is no sketch, how many values are in the sample, and how many of them once."""
    name = grammar.name(column.name)
    if column.kind is Kind.OTHER or grammar.distinct(name) is not None:
        return []
    return [Output(column=column.name, field=field, sql=name) for field in _PAIR]


def _frequencies(name: str, index: int) -> str:
    grouped = f"SELECT count(*) AS k FROM picked WHERE {name} IS NOT NULL GROUP BY {name}"
    return (
        f"SELECT count(*) AS d{index}, count(CASE WHEN k = 1 THEN 1 END) AS o{index} "
        f"FROM ({grouped}) AS g{index}"
    )
