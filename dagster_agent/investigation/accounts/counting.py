"""All accounts of the assets in scope; what cannot be counted becomes a note."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.errors import DagsterAgentError
from dagster_agent.investigation.accounts.book import AccountBook
from dagster_agent.investigation.accounts.broken_reads import BrokenRead, broken_reads
from dagster_agent.investigation.accounts.currencies import CurrencyAccount
from dagster_agent.investigation.accounts.keys import KeyAccount
from dagster_agent.investigation.accounts.loads import LoadAccount, account_loads
from dagster_agent.investigation.accounts.nulls import NullAccount
from dagster_agent.model import TableSchema

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


def count(scope: Sequence[str], book: AccountBook, notes: list[str], now: datetime) -> Counts:
    """Account for keys, arrivals, currencies, NULLs and references of the assets in scope.

    Args:
        scope: dbt unique ids.
        book: Counts, and knows what was counted in this run already.
        notes: Receives what could not be counted, and why.
        now: UTC.
    """
    manifest, warehouse = book.manifest, book.warehouse
    schemas = _schemas(scope, book, notes)

    def each(what: str, work: Callable[[str], T | None]) -> tuple[T, ...]:
        found = (_tried(what, uid, manifest, work, notes) for uid in scope)
        return tuple(account for account in found if account is not None)

    models = [uid for uid in scope if uid.startswith(("model.", "snapshot."))]
    return Counts(
        schemas={uid: schemas[uid] for uid in scope if uid in schemas},
        broken_reads=broken_reads(models, manifest, schemas, warehouse.dialect),
        keys=each("keys", book.keys),
        loads=each(
            "arrivals", lambda uid: account_loads(uid, manifest, warehouse, schemas.get(uid), now)
        ),
        currencies=each("currencies", book.currencies),
        nulls=each("NULLs", book.nulls),
    )


def _schemas(scope: Sequence[str], book: AccountBook, notes: list[str]) -> dict[str, TableSchema]:
    """Of the assets in scope and of all that they read."""
    wanted = {uid for member in scope for uid in (member, *book.manifest.parents(member))}
    try:
        found = {uid: book.schema(uid) for uid in sorted(wanted)}
    except DagsterAgentError as error:
        notes.append(f"schemas could not be read: {error}")
        return {}
    return {uid: schema for uid, schema in found.items() if schema is not None}


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
