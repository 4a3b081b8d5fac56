"""What a sensor's tick needs of thousands of tables: where they are, and whether they changed.

Nothing here compiles a dbt project or keeps a manifest in memory.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import ConfigError
from dagster_agent.model import Asset, TableSchema

GONE = "gone"
"""Digest of a table that is not there."""
_PROPERTIES = attrgetter(
    *("name", "type", "nullable", "default", "primary_key", "collation", "comment")
)
_PENDING = "gone?"
"""Marks a table that was not there at the last look, before its digest of the look before."""

_KNOWN: dict[Path, tuple[tuple[int, int], dict[str, Asset]]] = {}
"""Assets with a table by manifest, with the file's time and size when it was read."""


def newest_manifest(target: Path, compiled: Path) -> Path:
    """The manifest written last, by dbt or by the agent.

    Args:
        target: The project's target folder.
        compiled: The folder in which the agent keeps the manifests that it compiled.

    Raises:
        ConfigError: There is none.
    """
    there = [p for p in (target / "manifest.json", *compiled.glob("*.json")) if p.is_file()]
    if not there:
        raise ConfigError(
            f"there is no dbt manifest in {target} yet",
            hint="run `dbt parse` (or build) in the project once; a sensor does not compile",
        )
    return max(there, key=lambda path: path.stat().st_mtime_ns)


def assets_in(manifest: Path) -> Mapping[str, Asset]:
    """The assets that have a table, by unique id.

    A file is read again only when it has changed, so a tick costs no more than a look at it.

    Raises:
        ConfigError: It is no manifest that can be read.
    """
    stat = manifest.stat()
    version = stat.st_mtime_ns, stat.st_size
    known = _KNOWN.get(manifest)
    if known is None or known[0] != version:
        loaded = Manifest.load(manifest).assets
        known = version, {uid: a for uid, a in loaded.items() if a.relation is not None}
        _KNOWN.clear()
        _KNOWN[manifest] = known
    return known[1]


def digest(schema: TableSchema | None) -> str:
    """Sixteen hexadecimal digits that differ when a schema does; `GONE` for no table."""
    if schema is None:
        return GONE
    told = (schema.kind, schema.comment, list(map(_PROPERTIES, schema.columns)))
    # version 0 writes equal values alike, whichever objects they are, and is written in C
    return hashlib.blake2b(marshal.dumps(told, 0), digest_size=8).hexdigest()


def changed_tables(
    accepted: Mapping[str, TableSchema], observed: Mapping[str, TableSchema]
) -> tuple[str, ...]:
    """Names under which the two hold different schemas, or only one holds any; sorted.

    A tuple of columns is compared at once, so what did not change costs next to nothing.
    """
    return tuple(
        sorted(
            name
            for name in accepted.keys() | observed.keys()
            if accepted.get(name) != observed.get(name)
        )
    )


def compare_looks(
    before: Mapping[str, str], seen: Mapping[str, str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """What is news at this look, and what to remember for the next.

    A table that is gone is news at the second look: a load that replaces it drops it for a moment.
    Back with the columns it had, it is none.

    Args:
        before: What was remembered at the last look, by asset.
        seen: The digests of this look.

    Returns:
        Assets to check now, sorted, and what to remember.
    """
    news: list[str] = []
    kept = dict(before)
    for uid, now in sorted(seen.items()):
        last = before.get(uid)
        pending = last.removeprefix(_PENDING) if last and last.startswith(_PENDING) else None
        if now == GONE and last not in (None, GONE) and pending is None:
            kept[uid] = f"{_PENDING}{last}"
            continue
        kept[uid] = now
        if now != (last if pending is None else pending):
            news.append(uid)
    return tuple(news), kept
