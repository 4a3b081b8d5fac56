"""What changed inside a nested type: fields of structs, in lists and maps too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from dagster_agent.schema_drift.types import TypeChange, compare_parsed, parse_type, type_name

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedChange:
    """One field that came, went, or has another type."""

    column: str
    """The column it lies in, as observed."""
    path: str
    """`address.zip`; `[]` stands for the elements of a list, `{}` for the values of a map."""
    kind: Literal["added", "removed", "retyped"]
    """What happened."""
    before: str = ""
    """Its type, as accepted."""
    after: str = ""
    """Its type, as observed."""
    change: TypeChange = TypeChange.CHANGED
    """Whether old values still fit; of a retyped field."""


@lru_cache(maxsize=4096)
def nested_changes(
    column: str, before: str, after: str, *, dialect: str
) -> tuple[NestedChange, ...]:
    """The fields that differ, in the old order, then the new ones.

    Args:
        column: Name of the column.
        before: Accepted type, in the warehouse's own words.
        after: Observed type.
        dialect: sqlglot's name of the dialect of the types.

    Returns:
        Nothing where the types are no nested ones, or differ as a whole: a struct that became a
        text, a list of texts that became one of numbers.
    """
    old, new = parse_type(before, dialect), parse_type(after, dialect)
    if old is None or new is None:
        return ()
    found = tuple(_changes(column, column, old, new, dialect))
    return found if all("." in change.path for change in found) else ()


def _changes(
    column: str, path: str, old: exp.DataType, new: exp.DataType, dialect: str
) -> Iterator[NestedChange]:
    names = type_name(old), type_name(new)
    if names == ("STRUCT", "STRUCT") and old.expressions and new.expressions:
        yield from _fields(column, path, old, new, dialect)
        return
    for name, suffixes in (("ARRAY", ("[]",)), ("MAP", ("{key}", "{}"))):
        sides = old.expressions, new.expressions
        if names == (name, name) and all(len(side) == len(suffixes) for side in sides):
            for suffix, one, other in zip(suffixes, *sides, strict=True):
                yield from _changes(column, path + suffix, one, other, dialect)
            return
    change = compare_parsed(old, new, dialect)
    if change is not TypeChange.SAME:
        yield NestedChange(
            column=column,
            path=path,
            kind="retyped",
            before=old.sql(dialect),
            after=new.sql(dialect),
            change=change,
        )


def _fields(
    column: str, path: str, old: exp.DataType, new: exp.DataType, dialect: str
) -> Iterator[NestedChange]:
    before = {part.name.casefold(): part for part in old.expressions}
    after = {part.name.casefold(): part for part in new.expressions}
    for name, part in before.items():
        here = f"{path}.{part.name}"
        if name in after:
            one, other = part.args.get("kind"), after[name].args.get("kind")
            if one is not None and other is not None:
                yield from _changes(column, here, one, other, dialect)
        else:
            type_ = _text(part, dialect)
            yield NestedChange(column=column, path=here, kind="removed", before=type_)
    for name, part in after.items():
        if name not in before:
            type_ = _text(part, dialect)
            here = f"{path}.{part.name}"
            yield NestedChange(column=column, path=here, kind="added", after=type_)


def _text(part: exp.Expr, dialect: str) -> str:
    kind = part.args.get("kind")
    return kind.sql(dialect) if kind is not None else ""
