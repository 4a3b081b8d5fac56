"""What the team wrote under `meta: dagster_agent:` of a dbt node, read and checked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError
from dagster_agent.model import Asset
from dagster_agent.reconciliation.api_request import ApiRequest, Pagination
from dagster_agent.reconciliation.entry import (
    Closed,
    Column,
    Expression,
    Measure,
    Metric,
    ReconcileEntry,
    Sample,
    Watermark,
)
from dagster_agent.reconciliation.truths import PLACES
from dagster_agent.sql.identifiers import parse_relation

_NESTED: Mapping[str, type[BaseModel]] = {
    "key": Expression,
    "columns": Column,
    "measures": Measure,
    "segments": Expression,
    "day": Expression,
    "metric": Metric,
    "by": Expression,
    "closed": Closed,
    "watermark": Watermark,
    "sample": Sample,
    "api": ApiRequest,
    "pagination": Pagination,
}
"""What stands below a field, for near matches of what is unknown there."""


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


def named_entries(asset: Asset, *, manifest: Manifest, dialect: str) -> tuple[ReconcileEntry, ...]:
    """The entries of an asset, each with a name of its own: results of its pair are kept under it.

    A name that is taken gets a number; the one written first keeps its name when others follow.

    Raises:
        ConfigError: As of `entries_of`.
    """
    found: dict[str, ReconcileEntry] = {}
    for entry in entries_of(asset):
        name = label = label_of(entry, manifest, dialect)
        number = 1
        while name in found:
            number += 1
            name = f"{label} {number}"
        found[name] = entry.model_copy(update={"name": name})
    return tuple(found.values())


def label_of(entry: ReconcileEntry, manifest: Manifest, dialect: str) -> str:
    """What a person calls the other side; nothing is opened for it."""
    wanted = entry.with_
    if entry.name:
        return entry.name
    if not isinstance(wanted, str):
        return wanted.label
    with suppress(ConfigError):
        return manifest.find(wanted).name
    with suppress(ConfigError):
        return parse_relation(wanted, dialect).name
    return wanted


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


def near(name: str, known: Iterable[str]) -> str:
    """What somebody who wrote that name may have meant."""
    names = sorted(known)
    found = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(found)}?" if found else f"it has {', '.join(names)}"


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
    details = sorted(
        error.errors(include_url=False, include_context=False, include_input=False),
        key=lambda d: d["type"] != "extra_forbidden",
    )
    first = details[0]
    parts = _written(first["loc"])
    place = ".".join(parts)
    if first["type"] == "extra_forbidden":
        return ConfigError(f"{where}: unknown field {place!r}", hint=_nearest(first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    return ConfigError(
        f"{where}: {place or 'item'}: {message[:1].lower()}{message[1:]}",
        hint="write `{with: <table>, key: [<columns>], measures: [<columns>]}`",
    )


def _written(loc: tuple[int | str, ...]) -> list[str]:
    """The path as it stands in the yml: without the names of the alternatives of a union."""
    parts = [str(part) for part in loc]
    if len(parts) > 1 and parts[0] == "with":
        del parts[1]
    return [part for part in parts if part not in ("Tolerance", "literal['learned']")]


def _nearest(loc: tuple[int | str, ...]) -> str:
    """Near matches among the fields of the model in which the unknown field stands."""
    owner: type[BaseModel] = ReconcileEntry
    for part in loc[:-1]:
        name = str(part)
        owner = _NESTED.get(name) or PLACES.get(name) or owner
    if "tolerance" in loc:
        return near(str(loc[-1]), ("absolute", "relative"))
    return near(str(loc[-1]), (f.alias or n for n, f in owner.model_fields.items()))
