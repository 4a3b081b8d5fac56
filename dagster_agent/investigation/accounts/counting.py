"""All accounts of the assets in scope; what cannot be counted becomes a note."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import DagsterAgentError
from dagster_agent.investigation.accounts.broken_reads import BrokenRead, broken_reads
from dagster_agent.investigation.accounts.currencies import CurrencyAccount, account_currencies
from dagster_agent.investigation.accounts.keys import KeyAccount, account_keys
from dagster_agent.investigation.accounts.loads import LoadAccount, account_loads
from dagster_agent.investigation.accounts.nulls import NullAccount, account_nulls
from dagster_agent.model import Relation, TableSchema
from dagster_agent.ports import Warehouse

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """See the fields of the same names of `Dossier`."""

    schemas: Mapping[str, TableSchema]
    broken_reads: tuple[BrokenRead, ...]
    keys: tuple[KeyAccount, ...]
    loads: tuple[LoadAccount, ...]
    currencies: tuple[CurrencyAccount, ...]
    nulls: tuple[NullAccount, ...]


def count(
    scope: Sequence[str],
    manifest: Manifest,
    warehouse: Warehouse,
    schema: Callable[[Relation], TableSchema | None],
    notes: list[str],
    now: datetime,
) -> Counts:
    """Account for keys, arrivals, currencies, NULLs and references of the assets in scope.

    Args:
        scope: dbt unique ids.
        manifest: With compiled code.
        warehouse: The customer's data.
        schema: Observed schema of a watched relation.
        notes: Receives what could not be counted, and why.
        now: UTC.
    """
    schemas = _schemas(scope, manifest, schema, notes)

    def each(what: str, work: Callable[[str], T | None]) -> tuple[T, ...]:
        found = (_tried(what, uid, manifest, work, notes) for uid in scope)
        return tuple(account for account in found if account is not None)

    models = [uid for uid in scope if uid.startswith(("model.", "snapshot."))]
    return Counts(
        schemas={uid: schemas[uid] for uid in scope if uid in schemas},
        broken_reads=broken_reads(models, manifest, schemas, warehouse.dialect),
        keys=each("keys", lambda uid: account_keys(uid, manifest, warehouse, schemas.get(uid))),
        loads=each(
            "arrivals", lambda uid: account_loads(uid, manifest, warehouse, schemas.get(uid), now)
        ),
        currencies=each(
            "currencies", lambda uid: account_currencies(uid, manifest, warehouse, schemas)
        ),
        nulls=each("NULLs", lambda uid: account_nulls(uid, manifest, warehouse, schemas)),
    )


def _schemas(
    scope: Sequence[str],
    manifest: Manifest,
    schema: Callable[[Relation], TableSchema | None],
    notes: list[str],
) -> dict[str, TableSchema]:
    """Of the assets in scope and of all that they read."""
    wanted = {uid for member in scope for uid in (member, *manifest.parents(member))}
    found: dict[str, TableSchema] = {}
    try:
        for uid in sorted(wanted):
            relation = manifest.asset(uid).relation
            observed = schema(relation) if relation is not None else None
            if observed is not None:
                found[uid] = observed
    except DagsterAgentError as error:
        notes.append(f"schemas could not be read: {error}")
    return found


def _tried(
    what: str,
    uid: str,
    manifest: Manifest,
    work: Callable[[str], T | None],
    notes: list[str],
) -> T | None:
    try:
        return work(uid)
    except DagsterAgentError as error:
        notes.append(f"{what} of {manifest.asset(uid).name} could not be counted: {error}")
        return None
