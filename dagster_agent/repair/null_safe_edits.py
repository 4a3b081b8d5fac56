"""Edits that say in a model's Jinja text what is to become of NULL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.expression_text import words_at
from dagster_agent.repair.jinja_text import literal_sql
from dagster_agent.repair.select_text import TextEdit
from dagster_agent.repair.written_sql import Patch, WrittenSql

_REPEATING = ("for", "macro", "call", "set", "filter")
"""Jinja blocks whose text is written several times, or elsewhere."""
_STATEMENT = re.compile(r"\{%[-+]?\s*(\w+)(.*?)[-+]?%\}", re.DOTALL)


class GuardKind(StrEnum):
    """How an expression is made safe."""

    OR_NULL = "or-null"
    """`condition` becomes `(condition or column is null)`."""
    LIST_WHERE = "list-where"
    """`select y from t` becomes `select y from t where y is not null`."""
    LIST_AND = "list-and"
    """`select y from t where z` becomes `select y from t where z and y is not null`."""
    ZERO = "zero"
    """`a` becomes `coalesce(a, 0)`."""
    EMPTY_TEXT = "empty-text"
    """`a` becomes `coalesce(a, '')`."""
    EVERY_ROW = "every-row"
    """`count(a)` becomes `count(*)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NullGuard:
    """An expression of the compiled SQL that NULL spoils, and the way to guard it."""

    kind: GuardKind
    """The way."""
    start: int
    """Offset of its first character in the compiled SQL."""
    end: int
    """Offset behind its last."""
    column: str
    """What may be NULL there, as the compiled SQL writes it."""


def guard_nulls(
    raw_code: str, *, compiled_code: str, dialect: str, guards: Sequence[NullGuard]
) -> TextEdit | NoEdit:
    """Guard expressions against NULL, all of them in one edit.

    Args:
        raw_code: The file's text with its Jinja.
        compiled_code: What dbt made of it.
        dialect: sqlglot's name of the dialect.
        guards: What is to be guarded, and how; they do not overlap.

    Returns:
        The edited text; NoEdit where an expression is not literally in the file, or stands where
        Jinja repeats it.
    """
    upper = re.search(r"\bSELECT\b", raw_code) is not None
    patches = [p for g in guards for p in _patches(g, compiled_code, dialect, upper=upper)]
    if not patches:
        return NoEdit(reason="the place of the expression in the SQL cannot be told")
    file = WrittenSql(raw_code, compiled_code=compiled_code, dialect=dialect)
    text = file.apply(patches)
    if isinstance(text, NoEdit):
        return text
    pairs = zip(raw_code, text, strict=False)
    offset = next(n for n, (old, new) in enumerate(pairs) if old != new)
    block = _repeating_block(raw_code, offset)
    if block:
        return NoEdit(reason=f"it is written inside {{% {block} %}}, which may write it repeatedly")
    line = raw_code.count("\n", 0, offset) + 1
    return TextEdit(text=text, line=line, written=" ".join(text.splitlines()[line - 1].split()))


def guarded(guard: NullGuard, expression: str, *, upper: bool = False) -> str:
    """An expression with its guard, as it is to read."""
    before, after = _around(guard, upper=upper)
    if guard.kind is GuardKind.EVERY_ROW:
        return expression.replace(f"({guard.column})", "(*)")
    return f"{before}{expression}{after}"


def _around(guard: NullGuard, *, upper: bool) -> tuple[str, str]:
    def words(text: str) -> str:
        return text.upper() if upper else text

    column = guard.column
    return {
        GuardKind.OR_NULL: ("(", f" {words('or')} {column} {words('is null')})"),
        GuardKind.LIST_WHERE: ("", f" {words('where')} {column} {words('is not null')}"),
        GuardKind.LIST_AND: ("", f" {words('and')} {column} {words('is not null')}"),
        GuardKind.ZERO: (words("coalesce("), ", 0)"),
        GuardKind.EMPTY_TEXT: (words("coalesce("), ", '')"),
        GuardKind.EVERY_ROW: ("", ""),
    }[guard.kind]


def _patches(guard: NullGuard, sql: str, dialect: str, *, upper: bool) -> Iterator[Patch]:
    """Only the first and the last word are touched: what stands between may be Jinja."""
    first, last = words_at((guard.start, guard.end), sql, dialect)
    if guard.kind is GuardKind.EVERY_ROW:
        inner = sql.index("(", guard.start) + 1
        at = sql.index(guard.column, inner)
        yield Patch(start=at, end=at + len(guard.column), text="*")
        return
    before, after = _around(guard, upper=upper)
    if first == last and before:
        yield Patch(start=first[0], end=first[1], text=before + sql[first[0] : first[1]] + after)
        return
    if before:
        yield Patch(start=first[0], end=first[1], text=before + sql[first[0] : first[1]])
    yield Patch(start=last[1], end=last[1], text=after)


def _repeating_block(text: str, offset: int) -> str:
    """The Jinja block around a place whose text may be written several times; empty for none."""
    literal = literal_sql(text)
    opened: list[str] = []
    for start, end in literal.statements if literal is not None else ():
        found = _STATEMENT.match(text[start:end])
        if start > offset or found is None:
            continue
        word = found[1]
        if word.startswith("end") and opened and opened[-1] == word.removeprefix("end"):
            opened.pop()
        elif word in _REPEATING and not (word == "set" and "=" in found[2]):
            opened.append(word)
    return opened[-1] if opened else ""
