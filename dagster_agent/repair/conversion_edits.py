"""Edits that let a model take converted amounts where it takes amounts in any currency."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.select_text import SelectsInFile, TextEdit


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Which amounts one output column should take."""

    scope: str
    """The SELECT, by its name as in `select_scopes`."""
    output: str
    """The output column of that SELECT."""
    amount: str
    """The column of amounts as that SELECT names it, without qualifier."""
    converted: str
    """The column of converted amounts beside it; where there is none, an expression with Jinja."""
    is_expression: bool = False
    """Whether `converted` is an expression, which stands for the column with its qualifier."""
    whole_case: bool = False
    """The CASE that converts by currency goes as a whole; else the column's name is exchanged."""


def take_converted(raw_code: str, *, dialect: str, conversion: Conversion) -> TextEdit | NoEdit:
    """Exchange a column of amounts, or the CASE around it, for its converted sibling.

    Args:
        raw_code: The file's text with its Jinja.
        dialect: sqlglot's name of the dialect.
        conversion: What to exchange.

    Returns:
        The edited text; NoEdit where it is not literally in the file, or in several places.
    """
    try:
        selects = SelectsInFile(raw_code, dialect)
    except ValueError as error:
        return NoEdit(reason=str(error))
    scope = conversion.scope
    select = selects.select(scope, complete=False)
    if isinstance(select, NoEdit):
        return select
    element = selects.output(select, conversion.output)
    if isinstance(element, NoEdit):
        return element
    if conversion.whole_case:
        return _without_case(selects, element, conversion)
    found = selects.names_in(element, conversion.amount)
    if not found:
        return NoEdit(reason=f"{conversion.amount} is not written out in {conversion.output}")
    if conversion.is_expression:
        found = [(start - len(selects.qualifier(start)), stop) for start, stop in found]
    text = raw_code
    # an output that is nothing but the column keeps its name
    bare = len(found) == 1 and element == (element[0], found[0][1])
    alias = f" as {conversion.output}" if bare else ""
    for start, stop in reversed(found):
        text = text[:start] + conversion.converted + alias + text[stop:]
    line = raw_code.count("\n", 0, found[0][0]) + 1
    return TextEdit(text=text, line=line, written=text.splitlines()[line - 1].strip())


def _without_case(
    selects: SelectsInFile, element: tuple[int, int], conversion: Conversion
) -> TextEdit | NoEdit:
    case = selects.case_in(element)
    if case is None:
        return NoEdit(reason=f"{conversion.output} is not written with one plain CASE in the file")
    start, stop = case
    amounts = selects.names_in(case, conversion.amount)
    if not amounts:
        return NoEdit(reason=f"{conversion.amount} is not written out in {conversion.output}")
    # the qualifier of the amount is that of its sibling
    qualifier = "" if conversion.is_expression else selects.qualifier(amounts[0][0])
    text = selects.text
    after = f"{text[:start]}{qualifier}{conversion.converted}{text[stop:]}"
    line = after.count("\n", 0, start) + 1
    return TextEdit(text=after, line=line, written=after.splitlines()[line - 1].strip())
