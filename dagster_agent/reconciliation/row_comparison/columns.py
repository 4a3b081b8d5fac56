"""The columns of a pair, as SQL that yields values which compare alike on both sides."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dagster_agent.errors import ConfigError
from dagster_agent.reconciliation.canonical import ValueKind, common_kind, kind_of
from dagster_agent.reconciliation.comparison import EXACT, Side, TablePair
from dagster_agent.reconciliation.config import Tolerance
from dagster_agent.reconciliation.row_comparison.value_forms import (
    DIALECTS,
    as_text,
    mixed,
    plain_form,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedColumn:
    """One key or compared column of a pair."""

    name: str
    """Our name of it."""
    kind: ValueKind
    """In which values are compared."""
    ours: str
    """SQL of the value on our side."""
    theirs: str
    """SQL of the value on their side."""
    native: bool
    """Both sides have one type in one store, whose values compare as they are; else a plain form
    (see `value_forms.plain_form`)."""
    text: bool
    """The plain form may hold any text."""
    tolerance: Tolerance = EXACT
    """How far two values may be apart."""
    hashed: bool = False
    """Stands for several columns as their hash, which nobody wants to see."""

    @property
    def tolerant(self) -> bool:
        """Some difference is allowed."""
        return bool(self.tolerance.absolute or self.tolerance.relative)

    @property
    def countable(self) -> bool:
        """Its values have distances."""
        return not self.text and self.kind.name in (
            "integer",
            "decimal",
            "float",
            "date",
            "timestamp",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedColumns:
    """Keys and compared columns of a pair."""

    keys: tuple[ComparedColumn, ...]
    """Columns that identify a row."""
    values: tuple[ComparedColumn, ...]
    """Further columns that must agree."""

    @property
    def key_names(self) -> tuple[str, ...]:
        """SQL names k0, k1, ..."""
        return tuple(f"k{i}" for i in range(len(self.keys)))

    @property
    def value_names(self) -> tuple[str, ...]:
        """SQL names c0, c1, ..."""
        return tuple(f"c{i}" for i in range(len(self.values)))

    def selected(self, *, ours: bool) -> str:
        """The select list of one side, under these names; a constant where there is none."""
        named = [
            *zip(self.keys, self.key_names, strict=True),
            *zip(self.values, self.value_names, strict=True),
        ]
        sql = [f"{c.ours if ours else c.theirs} as {name}" for c, name in named]
        return ", ".join(sql) or "1 as nothing"


def landed_columns(columns: ComparedColumns) -> ComparedColumns:
    """The same columns as they are called in tables that `selected` has filled."""

    def named(column: ComparedColumn, name: str) -> ComparedColumn:
        return replace(column, ours=name, theirs=name)

    return ComparedColumns(
        keys=tuple(map(named, columns.keys, columns.key_names)),
        values=tuple(map(named, columns.values, columns.value_names)),
    )


def compared_columns(pair: TablePair, *, native: bool) -> ComparedColumns:
    """How each column is compared.

    Args:
        pair: Its columns exist on both sides.
        native: Both sides are in one store, so that values of one type need no form of their own.

    Raises:
        ConfigError: The types of a column cannot be compared; names it and both types.
    """
    keys = tuple(_column(pair, name, EXACT, native=native) for name in pair.keys)
    values = tuple(
        _column(pair, name, tolerance, native=native)
        for name, tolerance in pair.columns.items()
        if name not in pair.keys
    )
    return ComparedColumns(keys=keys, values=values)


def _column(pair: TablePair, name: str, tolerance: Tolerance, *, native: bool) -> ComparedColumn:
    types = [_type(side, name) for side in (pair.ours, pair.theirs)]
    dialects = [side.warehouse.dialect for side in (pair.ours, pair.theirs)]
    sources = [
        kind_of(type_, dialect) if type_ else None
        for type_, dialect in zip(types, dialects, strict=True)
    ]
    kind = common_kind(*sources)
    alike = types[0] is not None and types[0] == types[1]
    if native and alike and sources[0] is not None:
        return _native(pair, name, sources[0], tolerance)
    same_store_kind = len(set(dialects)) == 1 and alike
    if kind is None or kind.name == "other" or (kind.name == "json" and not same_store_kind):
        raise _incomparable(pair, name, types)
    if None in sources and kind.name == "integer":
        # the expression may yield fractions, which an integer's form would round away
        kind = ValueKind(name="decimal", scale=-1)
    known = [source or kind for source in sources]
    texts = mixed(known, kind)
    if native and kind.fixed and not texts:
        type_ = f"decimal({kind.digits}, {kind.scale})"
        casts = [f"cast({side.sql(name)} as {type_})" for side in (pair.ours, pair.theirs)]
        return _column_of(name, kind, casts, tolerance, native=True)
    forms = [
        _form(side, name, source, kind, texts=texts)
        for side, source in zip((pair.ours, pair.theirs), known, strict=True)
    ]
    textual = texts or kind.name not in ("integer", "decimal", "float", "date", "timestamp", "time")
    exact_text = kind.name in ("integer", "decimal") and not kind.small
    return _column_of(name, kind, forms, tolerance, native=False, text=textual or exact_text)


def _column_of(
    name: str,
    kind: ValueKind,
    sql: list[str],
    tolerance: Tolerance,
    *,
    native: bool,
    text: bool = False,
) -> ComparedColumn:
    return ComparedColumn(
        name=name,
        kind=kind,
        ours=sql[0],
        theirs=sql[1],
        native=native,
        text=text,
        tolerance=tolerance,
    )


def _native(pair: TablePair, name: str, kind: ValueKind, tolerance: Tolerance) -> ComparedColumn:
    def sql(side: Side) -> str:
        value = side.sql(name)
        if side.warehouse.dialect != "postgres":
            return value
        # rows are hashed from their text there, in which 1.0 is not 1.00 nor 0 is -0
        if kind.name == "decimal" and kind.scale < 0:
            return f"trim_scale({value})"
        if kind.name == "float":
            return f"({value} + 0)"
        return f"cast({value} as jsonb)" if kind.name == "json" else value

    return _column_of(name, kind, [sql(pair.ours), sql(pair.theirs)], tolerance, native=True)


def _form(side: Side, name: str, source: ValueKind, kind: ValueKind, *, texts: bool) -> str:
    dialect = side.warehouse.dialect
    if dialect not in DIALECTS:
        raise ConfigError(
            f"rows in {dialect} cannot be compared by value yet",
            hint="compare counts and measures, which need no key",
        )
    form = plain_form(side.sql(name), source, kind, dialect)
    if texts and source.name != "text":
        return as_text(form, kind, dialect)
    return form


def _type(side: Side, name: str) -> str | None:
    column = side.column(name)
    return column.type.strip() if column is not None else None


def _incomparable(pair: TablePair, name: str, types: list[str | None]) -> ConfigError:
    ours, theirs = (type_ or "an expression" for type_ in types)
    return ConfigError(
        f"column {name!r} cannot be compared: it is {ours} in {pair.ours.label} and {theirs} in "
        f"{pair.theirs.label}",
        hint="name an SQL expression that yields a number, text or date, or leave the column out",
    )
