"""Pairs that the team configured under `meta: dagster_agent:` of a dbt node."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from pydantic import ValidationError

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError
from dagster_agent.model import Asset, Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.comparison import Side, TablePair
from dagster_agent.reconciliation.config import Measure, OtherTable, ReconcileEntry
from dagster_agent.sql.identifiers import parse_relation

OpenStore = Callable[[Mapping[str, Any]], Warehouse]
"""Opens a store outside the warehouse, from the keys beside `table` in `with`."""

_WORD = re.compile(r"^\w+$")


def entries_of(asset: Asset) -> tuple[ReconcileEntry, ...]:
    """The items of `meta: dagster_agent: reconcile:`.

    Raises:
        ConfigError: An item is malformed; says which field of which item, and names near matches.
    """
    listed = _settings(asset).get("reconcile")
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise ConfigError(
            f"`reconcile` of {asset.name} is {type(listed).__name__}, not a list",
            hint="write `reconcile: [{with: <table>, key: [<columns>]}]`",
        )
    found: list[ReconcileEntry] = []
    for number, item in enumerate(cast("list[Any]", listed)):
        try:
            found.append(ReconcileEntry.model_validate(item))
        except ValidationError as error:
            raise _malformed(f"`reconcile[{number}]` of {asset.name}", error) from error
    return tuple(found)


def expected_losses_of(asset: Asset) -> Mapping[str, float]:
    """`meta: dagster_agent: expected_losses:`, lookup names in lower case.

    Raises:
        ConfigError: It is no mapping from names to shares.
    """
    listed: Any = _settings(asset).get("expected_losses")
    shares = cast("Mapping[Any, Any]", listed) if isinstance(listed, Mapping) else {"": listed}
    if listed is None:
        return {}
    for name, share in shares.items():
        if not isinstance(share, int | float) or not name or not 0 <= share <= 1:
            raise ConfigError(
                f"`expected_losses` of {asset.name} has {name!r}: {share!r}",
                hint="write the joined table's name and the largest share of rows to lose, "
                "such as `{planes: 0.2}`",
            )
    return {str(name).casefold(): float(share) for name, share in shares.items()}


def table_pair(
    entry: ReconcileEntry,
    asset: Asset,
    *,
    manifest: Manifest,
    warehouse: Warehouse,
    open_store: OpenStore | None,
) -> TablePair:
    """Find both tables and check every column that is named.

    Raises:
        ConfigError: Unknown table or column; near matches are named. Also when a table that should
            be there is not.
        ConnectorError: A store does not answer.
    """
    theirs_at, relation, label = _other_side(entry, asset, manifest, warehouse, open_store)
    if asset.relation is None:
        raise ConfigError(
            f"{asset.name} is ephemeral: it has no table", hint="reconcile its reader"
        )
    ours = _schema(warehouse, asset.relation, asset.name)
    theirs = _schema(theirs_at, relation, label)
    key = entry.key or _shared_key(manifest.unique_key(asset.unique_id), ours, theirs)
    measures = {name: m.theirs or name for name, m in entry.measures.items()}
    expressions = {**key, **entry.columns, **measures}
    _check_columns(expressions, ours, asset.name, theirs, label)
    return TablePair(
        ours=Side(label=asset.name, warehouse=warehouse, schema=ours, where=entry.filter),
        theirs=Side(
            label=label,
            warehouse=theirs_at,
            schema=theirs,
            where=entry.with_filter,
            expressions=expressions,
        ),
        keys=tuple(key),
        columns=tuple(entry.columns),
        measures=dict(entry.measures),
        tolerance=entry.tolerance,
    )


def _check_columns(
    expressions: Mapping[str, str], ours: TableSchema, name: str, theirs: TableSchema, other: str
) -> None:
    for column, expression in expressions.items():
        _known(column, ours, name)
        if _WORD.match(expression):
            _known(expression, theirs, other)


def _shared_key(
    names: tuple[str, ...], ours: TableSchema, theirs: TableSchema
) -> Mapping[str, str]:
    """What dbt knows to be unique, if both tables have such columns."""
    shared = all(side.column(name) is not None for name in names for side in (ours, theirs))
    return {name: name for name in names} if shared else {}


def _other_side(
    entry: ReconcileEntry,
    asset: Asset,
    manifest: Manifest,
    warehouse: Warehouse,
    open_store: OpenStore | None,
) -> tuple[Warehouse, Relation, str]:
    """Store, table and label of the other side."""
    wanted = entry.with_
    if isinstance(wanted, OtherTable):
        if open_store is None:
            raise ConfigError(
                f"{asset.name} is reconciled with {wanted.duckdb!r}, which cannot be opened here",
                hint="run it where the project's settings are known",
            )
        store = open_store({"duckdb": wanted.duckdb})
        relation = parse_relation(wanted.table, store.dialect)
        return store, relation, entry.name or relation.name
    try:
        other = manifest.find(wanted)
    except ConfigError:
        if "." not in wanted:
            raise
        relation = parse_relation(wanted, warehouse.dialect)
        return warehouse, relation, entry.name or relation.name
    if other.relation is None:
        raise ConfigError(f"{other.name} is ephemeral: it has no table", hint="name another")
    return warehouse, other.relation, entry.name or other.name


def _schema(warehouse: Warehouse, relation: Relation, label: str) -> TableSchema:
    found = warehouse.schemas([relation]).get(relation)
    if found is None:
        raise MissingTable(label, relation, warehouse)
    return found


class MissingTable(ConfigError):
    """A table of a pair is not there: it vanished, was never built, or is misspelt."""

    def __init__(self, label: str, relation: Relation, warehouse: Warehouse) -> None:
        named = f"{label} ({relation})" if label != relation.name else str(relation)
        super().__init__(
            f"{named} does not exist in {warehouse.name}",
            hint="build or load it, or correct its name",
        )


def _known(name: str, schema: TableSchema, label: str) -> None:
    if schema.column(name) is None:
        names = [column.name for column in schema.columns]
        raise ConfigError(f"{label} has no column {name!r}", hint=_near(name, names))


def _near(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(names)}"


def _settings(asset: Asset) -> Mapping[str, Any]:
    found: Any = asset.meta.get("dagster_agent")
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise ConfigError(
            f"`meta: dagster_agent:` of {asset.name} is {type(found).__name__}, not a mapping",
            hint="write `dagster_agent: {reconcile: [...]}`",
        )
    return cast("Mapping[str, Any]", found)


def _malformed(where: str, error: ValidationError) -> ConfigError:
    """The first thing that is wrong, in the customer's words."""
    # of a field that may be a text or a mapping, the complaint about the mapping says more
    details = sorted(
        error.errors(include_url=False, include_context=False, include_input=False),
        key=lambda d: (d["type"] != "extra_forbidden", "str" in d["loc"]),
    )
    first = details[0]
    parts = [str(part) for part in first["loc"] if part not in ("str", "OtherTable")]
    place = ".".join(parts)
    if first["type"] == "extra_forbidden":
        nested = (Measure, OtherTable) if len(parts) > 1 else (ReconcileEntry,)
        names = {f.alias or n for model in nested for n, f in model.model_fields.items()}
        return ConfigError(f"{where}: unknown field {place!r}", hint=_near(parts[-1], names))
    message = first["msg"].removeprefix("Value error, ").lower()
    return ConfigError(
        f"{where}: {place or 'item'}: {message}",
        hint="write `{with: <table>, key: [<columns>], measures: [<columns>]}`",
    )
