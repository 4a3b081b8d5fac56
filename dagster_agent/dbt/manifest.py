"""`Manifest`: the assets of a dbt project, their code, tests and lineage. Needs no dbt."""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from dagster_agent.dbt import manifest_file, nodes
from dagster_agent.dbt.contracts import Contract, contract
from dagster_agent.dbt.nodes import DbtTest, Exposure
from dagster_agent.errors import ConfigError
from dagster_agent.model import Asset, Relation

__all__ = ["Contract", "DbtTest", "Exposure", "Manifest"]

_REF_PREFERENCE = ("model", "snapshot", "seed", "source")
"""Which asset a bare name means when a source table has the name of a model, as in `ref()`."""


class Manifest:
    """A decoded `manifest.json`; immutable. Disabled nodes are not in it.

    Methods that take a unique id raise ConfigError, naming near matches, when it is unknown.
    """

    def __init__(self, file: manifest_file.ManifestFile) -> None:
        self._nodes = nodes.enabled(file)
        self.project_name = file.metadata.project_name or ""
        self.adapter_type = file.metadata.adapter_type or ""
        assets = {
            uid: nodes.asset(node, file=file)
            for uid, node in self._nodes.items()
            if node.resource_type in nodes.ASSET_TYPES
        }
        self.assets: Mapping[str, Asset] = MappingProxyType(assets)
        """Models, seeds, snapshots and sources by unique id, sorted."""
        self.tests: Mapping[str, DbtTest] = MappingProxyType(
            {
                uid: nodes.test(node, self._nodes)
                for uid, node in self._nodes.items()
                if node.resource_type == "test"
            }
        )
        """Data tests by unique id, sorted; unit tests are not among them."""
        self.exposures: tuple[Exposure, ...] = nodes.exposures(file)
        """Sorted by name."""
        self._parents = {
            uid: tuple(sorted({p for p in self._nodes[uid].depends_on.nodes if p in assets}))
            for uid in assets
        }
        children: dict[str, list[str]] = {uid: [] for uid in assets}
        for uid, parents in self._parents.items():
            for parent in parents:
                children[parent].append(uid)
        self._children = {uid: tuple(found) for uid, found in children.items()}
        self._by_relation = {
            str(asset.relation).lower(): asset for asset in assets.values() if asset.relation
        }
        self._tests_of: dict[str, list[DbtTest]] = {}
        for test in self.tests.values():
            for uid in (test.asset,) if test.asset else test.depends_on:
                self._tests_of.setdefault(uid, []).append(test)

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read a `manifest.json` of dbt 1.8 to 1.11.

        Raises:
            ConfigError: Missing, empty, truncated, malformed, or of another schema version.
        """
        return cls(manifest_file.decode(manifest_file.read(path), origin=str(path)))

    @classmethod
    def from_bytes(cls, data: bytes, *, origin: str = "given as bytes") -> Manifest:
        """Decode the content of a `manifest.json`; raises like `load`."""
        return cls(manifest_file.decode(data, origin=origin))

    def asset(self, uid: str) -> Asset:
        """The asset with this unique id."""
        try:
            return self.assets[uid]
        except KeyError:
            raise self._unknown(uid) from None

    def find(self, text: str) -> Asset:
        """What a person means by `text`.

        Args:
            text: A unique id, a name, `source.table`, `model.v2`, or a table's name as in the
                warehouse (with or without quotes, database and schema). Letter case decides only
                between names that differ by nothing else.

        Raises:
            ConfigError: Nothing matches (near matches are named), or several do.
        """
        if text in self.assets:
            return self.assets[text]
        for exact in (True, False):
            matches = [a for a in self.assets.values() if _matches(a, text.strip(), exact)]
            for resource_type in _REF_PREFERENCE:
                preferred = [a for a in matches if a.resource_type == resource_type]
                if len(preferred) == 1:
                    return preferred[0]
                if preferred:
                    ids = ", ".join(a.unique_id for a in preferred)
                    raise ConfigError(f"{text!r} may mean {ids}", hint="give the unique id")
        raise self._unknown(text)

    def by_relation(self, relation: Relation) -> Asset | None:
        """The asset stored there, letter case ignored; a missing database or schema fits any."""
        if exact := self._by_relation.get(str(relation).lower()):
            return exact
        if relation.database and relation.schema:
            return None
        suffix = f".{relation}".lower()
        fitting = [a for name, a in self._by_relation.items() if name.endswith(suffix)]
        return fitting[0] if len(fitting) == 1 else None

    def raw_code(self, uid: str) -> str:
        """The Jinja text, without the space at both ends of the file; empty for seeds and sources.

        An edit needs the file's own text instead.
        """
        self.asset(uid)
        return self._nodes[uid].raw_code or ""

    def compiled_code(self, uid: str) -> str | None:
        """The compiled SQL; None when dbt only parsed, and for Python models."""
        self.asset(uid)
        node = self._nodes[uid]
        return node.compiled_code if node.language != "python" else None

    def described_in(self, uid: str) -> str | None:
        """The yml that describes it, relative to the project; None where none does."""
        self.asset(uid)
        patch = self._nodes[uid].patch_path
        return patch.split("://", 1)[-1] if patch else None

    def parents(self, uid: str) -> tuple[str, ...]:
        """Unique ids of the assets it reads, sorted."""
        self.asset(uid)
        return self._parents[uid]

    def children(self, uid: str) -> tuple[str, ...]:
        """Unique ids of the assets that read it, sorted."""
        self.asset(uid)
        return self._children[uid]

    def upstream(self, uid: str) -> tuple[str, ...]:
        """All ancestors, nearest first, itself excluded."""
        self.asset(uid)
        return _reachable(uid, self._parents)

    def downstream(self, uid: str) -> tuple[str, ...]:
        """All descendants, nearest first, itself excluded."""
        self.asset(uid)
        return _reachable(uid, self._children)

    def tests_of(self, uid: str) -> tuple[DbtTest, ...]:
        """Data tests attached to it, and singular tests that read it; sorted by unique id."""
        self.asset(uid)
        return tuple(self._tests_of.get(uid, ()))

    def exposures_of(self, uids: Collection[str]) -> tuple[Exposure, ...]:
        """Exposures that read any of these or anything built from them, sorted by name."""
        reached = set(uids)
        for uid in uids:
            reached.update(self.downstream(uid))
        return tuple(e for e in self.exposures if reached.intersection(e.depends_on))

    def unique_key(self, uid: str) -> tuple[str, ...]:
        """Columns that identify a row; () when unknown.

        dbt's inferred primary key, else the configured `unique_key`, else a `unique` test.
        """
        self.asset(uid)
        return nodes.unique_key(self._nodes[uid], self.tests_of(uid))

    def replaces_by_key(self, uid: str) -> bool:
        """Whether `unique_key` may name what a run replaces, such as a day, and not a row."""
        self.asset(uid)
        return nodes.replaces_by_key(self._nodes[uid], self.tests_of(uid))

    def contract(self, uid: str) -> Contract:
        """Column types and constraints that dbt enforces or was told of; empty without any."""
        self.asset(uid)
        return contract(self._nodes[uid])

    def group(self, uid: str) -> str | None:
        """Name of the dbt group it belongs to."""
        self.asset(uid)
        return self._nodes[uid].group

    def time_column(self, uid: str) -> str | None:
        """The column that dbt was told says when a row happened; None where it was not told.

        `event_time`, else `partition_by`; whether it holds moments has to be looked up.
        """
        self.asset(uid)
        return nodes.time_column(self._nodes[uid])

    def _unknown(self, text: str) -> ConfigError:
        names = {name for a in self.assets.values() for name in (a.unique_id, a.name)}
        near = difflib.get_close_matches(text, sorted(names), n=3)
        project = f"dbt project {self.project_name!r}"
        hint = f"did you mean {' or '.join(near)}?" if near else "give a dbt name or unique id"
        return ConfigError(f"no asset {text!r} in the {project}", hint=hint)


def _matches(asset: Asset, text: str, exact: bool) -> bool:
    def same(name: str) -> bool:
        return name == text if exact else name.casefold() == text.casefold()

    found = same(asset.unique_id) or same(asset.name)
    suffix = asset.unique_id[-len(text) - 1 :]
    found = found or (suffix.startswith(".") and same(suffix[1:]))
    if asset.relation is not None and not found:
        relation = asset.relation
        in_schema = Relation(schema=relation.schema, name=relation.name)
        spellings = (relation, in_schema, Relation(name=relation.name))
        found = any(same(s) for r in spellings for s in (str(r), r.sql(), r.sql("`")))
    return found


def _reachable(start: str, edges: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    seen = {start: None}
    queue = deque([start])
    while queue:
        for neighbour in edges[queue.popleft()]:
            if neighbour not in seen:
                seen[neighbour] = None
                queue.append(neighbour)
    return tuple(seen)[1:]
