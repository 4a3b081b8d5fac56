"""Adding an output column to a model's SELECT, in the style of its list."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlglot
from sqlglot.tokenizer_core import Token

from dagster_agent.errors import QueryRefused
from dagster_agent.repair.column_edits import ColumnEdit
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import ColumnFault, Fault
from dagster_agent.repair.select_text import SelectsInFile
from dagster_agent.sql.column_path import PathStep, path_from
from dagster_agent.sql.spelling import written

_REST_OF_LINE = re.compile(r"[ \t]*(--[^\n]*|\{#[^\n]*?#\}[ \t]*|/\*[^\n]*?\*/[ \t]*)?(?=\n|$)")


def carry_columns(fault: Fault) -> ColumnEdit | NoEdit:
    """Add the new columns of a table to each SELECT between the table and the model's output.

    Returns:
        NoEdit where they pass already, a name is taken, or a SELECT is not written out in the file.
    """
    if fault.path.startswith("dbt_packages/"):
        return NoEdit(reason="the file belongs to an installed package")
    (relation,) = {column.relation for column in fault.columns}
    try:
        path = path_from(fault.compiled_code, fault.dialect, relation)
    except (QueryRefused, ValueError) as error:
        return NoEdit(reason=str(error))
    steps = [step for step in path if not step.star]
    if not steps:
        return NoEdit(reason="a star already lets every column of it pass")
    taken = {name.casefold() for step in steps for name in step.outputs}
    clash = next((c.column for c in fault.columns if c.column.casefold() in taken), None)
    if clash is not None:
        return NoEdit(reason=f"it already has a column {clash}")
    text: str | NoEdit = fault.text
    for step in steps:
        text = _with_columns(text, step, fault.columns, fault.dialect)
        if isinstance(text, NoEdit):
            return text
    return ColumnEdit(text=text, lines=_changed_lines(fault.text, text))


def _with_columns(
    text: str, step: PathStep, columns: Sequence[ColumnFault], dialect: str
) -> str | NoEdit:
    try:
        selects = SelectsInFile(text, dialect)
    except ValueError as error:
        return NoEdit(reason=str(error))
    select = selects.select(step.scope, complete=False)
    if isinstance(select, NoEdit):
        return select
    start, stop = select.outputs
    tokens = [
        token
        for token in sqlglot.tokenize(selects.literal.text, dialect=dialect)
        if start <= token.start < stop
    ]
    blocks = [at for at, _ in selects.literal.statements if start <= at < stop]
    if not tokens or blocks:
        return NoEdit(reason="its list of output columns is written by Jinja")
    like = text[tokens[-1].start : tokens[-1].end + 1]
    prefix = f"{written(step.qualifier, dialect, like=like)}." if step.qualifier else ""
    for column in reversed(columns):
        text = _appended(text, tokens, start, prefix + written(column.column, dialect, like=like))
    return text


def _appended(text: str, tokens: Sequence[Token], start: int, item: str) -> str:
    """The text with one more item at the end of the list that the tokens make up."""
    trailing = text[tokens[-1].start] == ","
    commas = _commas(text, tokens)
    first = tokens[0] if not commas else tokens[commas[-1] + 1]
    comma = None if not commas else tokens[commas[-1]]
    end = tokens[-1].end + 1
    if comma is not None and not _before(text, comma.start).strip():
        lead = text[text.rfind("\n", 0, comma.start) + 1 : first.start]
        at = _end_of_line(text, end)
        return f"{text[:at]}\n{lead}{item}{text[at:]}"
    mark, last = ("", ",") if trailing else (",", "")
    between = text[(comma.end + 1 if comma else start) : first.start]
    if "\n" not in between:
        return f"{text[:end]}{mark} {item}{last}{text[end:]}"
    at = _end_of_line(text, end)
    return f"{text[:end]}{mark}{text[end:at]}\n{_before(text, first.start)}{item}{last}{text[at:]}"


def _commas(text: str, tokens: Sequence[Token]) -> list[int]:
    """Numbers of the commas between items, a last one with nothing behind it left out."""
    found: list[int] = []
    depth = 0
    for number, token in enumerate(tokens[:-1]):
        word = text[token.start]
        depth += (word in "([{") - (word in ")]}")
        if word == "," and depth == 0:
            found.append(number)
    return found


def _before(text: str, offset: int) -> str:
    """What stands before it in its line."""
    return text[text.rfind("\n", 0, offset) + 1 : offset]


def _end_of_line(text: str, offset: int) -> int:
    """The end of the line where nothing but a comment follows; else the offset itself."""
    rest = _REST_OF_LINE.match(text, offset)
    return rest.end() if rest else offset


def _changed_lines(before: str, after: str) -> tuple[int, ...]:
    """1-based numbers of the lines that are new."""
    old = set(before.splitlines())
    return tuple(n for n, line in enumerate(after.splitlines(), 1) if line not in old)
