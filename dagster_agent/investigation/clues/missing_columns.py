"""Columns that models read and that are no longer there: whose they were, and who reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dagster_agent.errors import ConfigError, QueryRefused
from dagster_agent.investigation.accounts.broken_reads import Columns, is_among
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Asset, Evidence, Failure, Relation
from dagster_agent.sql.lineage import column_origin


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingColumns:
    """What one asset no longer has and models still read from it."""

    upstream: str
    """dbt unique id of what they read from."""
    origin: str
    """dbt unique id of the asset that lost them: `upstream`, or what it passes on by a star."""
    columns: tuple[str, ...]
    """As the readers spell them, in the order found."""
    relation: Relation
    """Where `upstream` is stored."""
    reads: Mapping[str, tuple[str, ...]]
    """The columns that each reader reads, by the reader's dbt unique id, nearest to the focus
    first."""
    failures: tuple[Failure, ...]
    """Failed runs that name one of them."""

    @property
    def readers(self) -> tuple[str, ...]:
        """dbt unique ids, nearest to the focus first."""
        return tuple(self.reads)

    def told(self, codebase: Codebase) -> Iterator[Evidence]:
        """Who reads them, and the failures."""
        name = codebase.manifest.asset(self.upstream).name
        for uid, columns in self.reads.items():
            reader = codebase.manifest.asset(uid)
            statement = f"{reader.name} reads {' and '.join(columns)} of {name}"
            yield Evidence(kind="lineage", statement=statement, source=reader.path)
        for failure in self.failures[:2]:
            yield Evidence(kind="run", statement=failure.excerpt)


def missing_columns(dossier: Dossier, codebase: Codebase) -> tuple[MissingColumns, ...]:
    """Everything that is read in vain, by what it is read from; the nearest upstream first.

    Known from the code against the observed tables, with what was accepted deciding whose column an
    unqualified name means, and from the failed runs' messages.
    """
    columns = Columns(codebase.manifest, dossier.schemas, codebase.dialect)
    found: dict[str, dict[tuple[str, str], None]] = {}
    for reader, upstream, column in (
        *((b.asset, b.upstream, b.column) for b in dossier.broken_reads),
        *_read_in_vain(dossier, codebase, columns),
        *_named_by_failures(dossier, codebase, columns),
    ):
        found.setdefault(upstream, {})[reader, column] = None
    order = {uid: index for index, uid in enumerate(dossier.scope)}
    groups = [
        _group(upstream, relation, list(pairs), dossier, codebase, order)
        for upstream, pairs in found.items()
        if (relation := codebase.manifest.asset(upstream).relation) is not None
    ]
    return tuple(sorted(groups, key=lambda g: (order.get(g.upstream, len(order)), g.upstream)))


def _group(
    upstream: str,
    relation: Relation,
    pairs: Sequence[tuple[str, str]],
    dossier: Dossier,
    codebase: Codebase,
    order: Mapping[str, int],
) -> MissingColumns:
    names = {column.casefold(): column for _, column in reversed(pairs)}
    readers = sorted({r for r, _ in pairs}, key=lambda uid: (order.get(uid, len(order)), uid))
    columns = tuple(sorted(names.values(), key=[c for _, c in pairs].index))
    folded = {(reader, column.casefold()) for reader, column in pairs}
    return MissingColumns(
        upstream=upstream,
        origin=_origin(upstream, columns[0], codebase),
        columns=columns,
        relation=relation,
        reads={uid: tuple(c for c in columns if (uid, c.casefold()) in folded) for uid in readers},
        failures=tuple(f for f in dossier.failures if _column_of(f).casefold() in names),
    )


def _read_in_vain(
    dossier: Dossier, codebase: Codebase, columns: Columns
) -> Iterator[tuple[str, str, str]]:
    manifest = codebase.manifest
    gone = {
        uid: tuple(c.name for c in accepted.columns) for uid, accepted in dossier.accepted.items()
    }
    for uid in dossier.scope:
        lost = {p: gone[p] for p in manifest.parents(uid) if p in gone}
        if lost:
            yield from _reads(uid, lost, codebase, columns)


def _named_by_failures(
    dossier: Dossier, codebase: Codebase, columns: Columns
) -> Iterator[tuple[str, str, str]]:
    for failure in dossier.failures:
        column, model = _column_of(failure), failed_model(failure, codebase)
        if failure.failure_class != "missing_column" or not column or model is None:
            continue
        for parent in codebase.manifest.parents(model.unique_id):
            for found in _reads(model.unique_id, {parent: (column,)}, codebase, columns):
                if found[2].casefold() == column.casefold():
                    yield found


def _reads(
    uid: str, lost: Mapping[str, Sequence[str]], codebase: Codebase, columns: Columns
) -> Iterator[tuple[str, str, str]]:
    """What a model reads of the lost columns, as if the assets still had them."""
    manifest = codebase.manifest
    known: dict[Relation, Sequence[str]] = {**columns.known_to(uid)}
    for parent, names in lost.items():
        relation = manifest.asset(parent).relation
        if relation is not None and relation in known:
            known[relation] = (*known[relation], *names)
    for read in columns.reads(uid, known=known):
        upstream = manifest.by_relation(read.relation)
        there = columns.of(upstream.unique_id) if upstream is not None else None
        if upstream is None or upstream.unique_id not in lost or there is None:
            continue
        if not is_among(read, there, codebase.dialect):
            yield uid, upstream.unique_id, read.column


def _origin(uid: str, column: str, codebase: Codebase) -> str:
    """The asset that has to have the column for `uid` to pass it on; itself for any other."""
    manifest = codebase.manifest
    while manifest.asset(uid).resource_type == "model":
        try:
            sql = manifest.compiled_code(uid) or ""
            passed = column_origin(sql, codebase.dialect, column) if sql else None
        except QueryRefused:
            return uid
        source = manifest.by_relation(passed[0]) if passed is not None else None
        if source is None or source.unique_id not in manifest.parents(uid):
            return uid
        uid = source.unique_id
    return uid


def failed_model(failure: Failure, codebase: Codebase) -> Asset | None:
    """The model that a failure is about, where its message names one."""
    facts = failure.facts
    for asset in codebase.manifest.assets.values():
        if asset.resource_type == "model" and facts.path and asset.path == facts.path:
            return asset
    try:
        found = codebase.manifest.find(facts.model) if facts.model else None
    except ConfigError:
        return None
    return found if found is not None and found.resource_type == "model" else None


def came_with_the_reader(reader: str, column: str, codebase: Codebase) -> bool:
    """Whether the newest change of the reader's own file brought the name in."""
    path = codebase.manifest.asset(reader).path
    named = re.compile(rf"(?<![\w$]){re.escape(column)}(?![\w$])", re.IGNORECASE)
    now = codebase.text(path)
    for _, after, before in codebase.versions(path):
        committed = after if after is not None and after != now else before
        return committed is not None and named.search(committed) is None
    return False


def _column_of(failure: Failure) -> str:
    """The column that a failure names, without its qualifier."""
    name = failure.facts.column or ""
    return re.split(r"\.(?=[^.]*$)", name)[-1].strip('"`[]')
