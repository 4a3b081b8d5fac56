"""Do two columns hold the same keys? Measured on hashes of a bounded sample of either side."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dagster_agent.model import Asset, TableSchema
from dagster_agent.ports import Warehouse
from dagster_agent.reconciliation.comparison import Side, TablePair
from dagster_agent.reconciliation.key_sql import key_hash
from dagster_agent.reconciliation.wording import share, things

SAMPLED = 500
"""Keys of either side whose hashes are looked up on the other."""
_WHOLE = 0.99
"""Share found from which on the rest are late or lost rows, not other identities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOverlap:
    """How many of the sampled keys of either side the other side has."""

    key: str
    theirs: str
    sampled_ours: int
    found_theirs: int
    sampled_theirs: int
    found_ours: int

    @property
    def best(self) -> float:
        """The better of both coverages."""
        return max(
            self.found_theirs / max(self.sampled_ours, 1),
            self.found_ours / max(self.sampled_theirs, 1),
        )

    def question(self, asset: str, other: str) -> str:
        """What people must say where the keys match only partly; empty where they match.

        Args:
            asset: Name of the model.
            other: Name of the table beside it.
        """
        ours = self.sampled_ours - self.found_theirs
        theirs = self.sampled_theirs - self.found_ours
        if max(ours / max(self.sampled_ours, 1), theirs / max(self.sampled_theirs, 1)) < 1 - _WHOLE:
            return ""
        many, one = things([self.key]), things([self.key], 1)
        return (
            f"{share(ours, self.sampled_ours)} of the {many} of {asset} are not in {other}, "
            f"{share(theirs, self.sampled_theirs)} the other way: are those other {many}, "
            f"or the same {one} under another {self.key}?"
        )


def key_overlap(
    warehouse: Warehouse, asset: Asset, key: str, ours: TableSchema, other: TableSchema, theirs: str
) -> KeyOverlap:
    pair = TablePair(
        ours=Side(label=asset.name, warehouse=warehouse, schema=ours),
        theirs=Side(
            label=other.relation.name,
            warehouse=warehouse,
            schema=other,
            expressions={key: theirs},
        ),
        keys=(key,),
    )
    sampled_ours, found_theirs = _looked_up(pair, ours=True)
    sampled_theirs, found_ours = _looked_up(pair, ours=False)
    return KeyOverlap(
        key=key,
        theirs=theirs,
        sampled_ours=sampled_ours,
        found_theirs=found_theirs,
        sampled_theirs=sampled_theirs,
        found_ours=found_ours,
    )


def _looked_up(pair: TablePair, *, ours: bool) -> tuple[int, int]:
    """Sampled keys of one side, and how many of them the other side has; one statement."""
    one, other = (pair.ours, pair.theirs) if ours else (pair.theirs, pair.ours)
    (key,) = pair.keys
    known = replace(one, where=f"{one.sql(key)} is not null")
    hashes, others = key_hash(pair, ours=ours), key_hash(pair, ours=not ours)
    sample = f"select {hashes} as h from {known.rows_sql} group by 1 order by 1 limit {SAMPLED}"
    query = (
        f"select count(*) as sampled, sum(case when h in (select {others} from {other.rows_sql}) "
        f"then 1 else 0 end) as found from ({sample}) as s"
    )
    (row,) = one.warehouse.query(query, purpose="key overlap").rows
    return int(str(row[0])), int(str(row[1] or 0))
