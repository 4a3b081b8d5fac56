"""Which tables outside the project look like a truth that a model could be held against.

Named by evidence: names that are alike, keys that overlap (measured on hashes of a bounded sample,
so that no value leaves the warehouse), sums that agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import DagsterAgentError
from dagster_agent.model import Asset, ColumnSchema, Relation, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.canonical import common_kind, kind_of
from dagster_agent.reconciliation.key_overlap import KeyOverlap, key_overlap
from dagster_agent.reconciliation.similar_names import likeness
from dagster_agent.reconciliation.similar_sums import SumMatch, matching_sums
from dagster_agent.reconciliation.wording import listed, share
from dagster_agent.sql.identifiers import same_relation
from dagster_agent.sql.lineage import tables_read

MIN_OVERLAP = 0.5
"""Share of the sampled keys that the better covered side must find."""
_CANDIDATES = 4
"""Tables looked at per model, the most alike names first."""
_KEYS = 2
"""Key columns tried per table."""
_ALIKE = 0.5
"""Likeness of names that counts as evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedPair:
    """A truth that a model could be held against."""

    asset: str
    """dbt unique id of the model."""
    other: Relation
    """The table beside it."""
    score: float
    """Between 0 and 1; the best first."""
    evidence: str
    """One sentence with what was measured."""
    snippet: str
    """What to paste under `meta: dagster_agent:` of the model."""
    question: str = ""
    """What people must say before it is pasted; empty where the keys match."""


def tables_beside(warehouse: Warehouse) -> tuple[TableSchema, ...]:
    """All tables that the warehouse's information schema lists, those of attached databases too.

    Raises:
        ConnectorError: As `Warehouse.query`.
    """
    query = (
        "select table_catalog, table_schema, table_name, column_name, data_type, ordinal_position "
        "from information_schema.columns "
        "where lower(table_schema) not in ('information_schema', 'pg_catalog') order by 1, 2, 3, 6"
    )
    found = warehouse.query(query, purpose="tables beside the project", max_rows=200_000)
    columns: dict[Relation, list[ColumnSchema]] = {}
    for catalog, schema, table, column, type_name, position in found.rows:
        relation = Relation(database=str(catalog), schema=str(schema), name=str(table))
        columns.setdefault(relation, []).append(
            ColumnSchema(name=str(column), type=str(type_name), position=int(str(position)))
        )
    return tuple(TableSchema(relation=r, columns=tuple(c)) for r, c in columns.items())


def propose_pairs(
    manifest: Manifest,
    warehouse: Warehouse,
    schemas: Sequence[TableSchema],
    *,
    assets: Sequence[str] = (),
    limit: int = 10,
) -> tuple[ProposedPair, ...]:
    """Truths for the project's models among all tables of the warehouse, the best first.

    Args:
        manifest: The project.
        warehouse: Where its tables are.
        schemas: All tables there, see `tables_beside`.
        assets: dbt unique ids to look at; all models by default, those that nothing reads first.
        limit: Proposals made; the search ends when it has three times as many.

    Returns:
        At most `limit` pairs, of each model the best. Tables that cannot be read are passed over.
    """
    wanted = assets or _by_worth(manifest)
    found: list[ProposedPair] = []
    for uid in wanted:
        best = max(_of(manifest, warehouse, schemas, uid), key=lambda p: p.score, default=None)
        if best is not None:
            found.append(best)
        if len(found) >= 3 * limit:
            break
    return tuple(sorted(found, key=lambda p: (-p.score, p.asset))[:limit])


def _by_worth(manifest: Manifest) -> list[str]:
    """Models, those at the end of the lineage first: people decide by them."""
    models = [uid for uid, asset in manifest.assets.items() if asset.resource_type == "model"]
    return sorted(models, key=lambda uid: (len(manifest.children(uid)), uid))


def _of(
    manifest: Manifest, warehouse: Warehouse, schemas: Sequence[TableSchema], uid: str
) -> Iterator[ProposedPair]:
    asset, keys = manifest.asset(uid), manifest.unique_key(uid)
    relation = asset.relation
    if relation is None:
        return
    ours = next((s for s in schemas if same_relation(s.relation, relation)), None)
    if ours is None or len(keys) != 1 or ours.column(keys[0]) is None:
        return
    related = {uid, *manifest.upstream(uid), *manifest.downstream(uid)}
    read = _read_by(manifest, related, warehouse.dialect)
    others = [
        s
        for s in schemas
        if _is_truth(manifest, s, related) and not any(same_relation(s.relation, r) for r in read)
    ]
    others.sort(key=lambda s: (-likeness(asset.name, s.relation.name), str(s.relation)))
    for other in others[:_CANDIDATES]:
        try:
            proposed = _judged(manifest, warehouse, asset, keys[0], ours, other)
        except DagsterAgentError:
            continue  # what cannot be read or compared is no proposal
        if proposed is not None:
            yield proposed


def _read_by(manifest: Manifest, assets: set[str], dialect: str) -> set[Relation]:
    """Tables that their SQL names, whether or not dbt knows them as sources."""
    found: set[Relation] = set()
    for uid in assets:
        try:
            found |= set(tables_read(manifest.compiled_code(uid) or "select 1", dialect))
        except DagsterAgentError:
            continue  # code that does not parse reads nothing that is known
    return found


def _is_truth(manifest: Manifest, schema: TableSchema, related: set[str]) -> bool:
    """Not made by this project, and nothing that the model is made from."""
    known = manifest.by_relation(schema.relation)
    if known is None:
        return True
    return known.resource_type in ("source", "seed") and known.unique_id not in related


def _judged(
    manifest: Manifest,
    warehouse: Warehouse,
    asset: Asset,
    key: str,
    ours: TableSchema,
    other: TableSchema,
) -> ProposedPair | None:
    overlaps = [
        key_overlap(warehouse, asset, key, ours, other, column)
        for column in _key_columns(warehouse, key, asset, ours, other)
    ]
    best = max(overlaps, key=lambda o: o.best, default=None)
    if best is None or best.best < MIN_OVERLAP:
        return None
    sums = matching_sums(warehouse, ours, other, besides=(key, best.theirs))
    alike = likeness(asset.name, other.relation.name)
    named = max(alike, likeness(key, best.theirs) if not _bare(key) else 0)
    if named < _ALIKE and not sums:
        return None  # counters overlap whatever they count
    score = 0.5 * best.best + 0.25 * named + 0.25 * bool(sums)
    return ProposedPair(
        asset=asset.unique_id,
        other=other.relation,
        score=round(score, 3),
        evidence=_evidence(asset, other, best, sums),
        snippet=_snippet(manifest, other, best, sums),
        question=best.question(asset.name, other.relation.name),
    )


def _key_columns(
    warehouse: Warehouse, key: str, asset: Asset, ours: TableSchema, other: TableSchema
) -> list[str]:
    """Their columns that may hold our key, the likeliest first."""
    mine = ours.column(key)
    if mine is None:
        return []
    kind = kind_of(mine.type, warehouse.dialect)
    fitting = [
        column.name
        for column in other.columns
        if _may_be_keys(kind.name, kind_of(column.type, warehouse.dialect).name)
        and common_kind(kind, kind_of(column.type, warehouse.dialect)) is not None
    ]

    def rank(name: str) -> tuple[float, int]:
        alike = max(likeness(key, name), 0.9 * likeness(asset.name, name))
        return -alike, fitting.index(name)

    return sorted(fitting, key=rank)[:_KEYS]


def _may_be_keys(ours: str, theirs: str) -> bool:
    return ours == theirs or {ours, theirs} in ({"integer", "text"}, {"integer", "decimal"})


def _evidence(asset: Asset, other: TableSchema, found: KeyOverlap, sums: Sequence[SumMatch]) -> str:
    told = (
        f"{share(found.found_theirs, found.sampled_ours)} of {found.sampled_ours:,} sampled "
        f"{found.key} of {asset.name} are in {other.relation.name}.{found.theirs}, "
        f"{share(found.found_ours, found.sampled_theirs)} of {found.sampled_theirs:,} the other way"
    )
    if not sums:
        return told
    agree = listed([f"sum({s.ours}) and sum({s.expression})" for s in sums])
    worst = max(abs(s.gap) for s in sums)
    return f"{told}; {agree} agree within {share(worst, 1)}" if worst else f"{told}; {agree} agree"


def _snippet(
    manifest: Manifest, other: TableSchema, found: KeyOverlap, sums: Sequence[SumMatch]
) -> str:
    known = manifest.by_relation(other.relation)
    named = known.name if known is not None else str(other.relation)
    key = found.key if found.key == found.theirs else f"{{{found.key}: {found.theirs}}}"
    lines = ["reconcile:", f"  - with: {named}", f"    key: {key}"]
    if sums:
        measures = ", ".join(
            s.ours if s.ours == s.expression else f"{s.ours}: {s.expression}" for s in sums
        )
        plain = all(s.ours == s.expression for s in sums)
        lines.append(f"    measures: {f'[{measures}]' if plain else f'{{{measures}}}'}")
    return "\n".join(lines) + "\n"


def _bare(key: str) -> bool:
    """`id` alone says nothing of what it identifies."""
    return key.casefold() in ("id", "key", "uuid", "nr", "no", "number")
