"""`AccountBook`: each account of an asset, counted once, for checks and investigations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.investigation.accounts.currencies import CurrencyAccount, account_currencies
from dagster_agent.investigation.accounts.keys import KeyAccount, account_keys
from dagster_agent.investigation.accounts.nulls import NullAccount, account_nulls
from dagster_agent.model import Relation, TableSchema
from dagster_agent.ports import Warehouse

T = TypeVar("T")


class AccountBook:
    """Counts when it is asked first, and remembers as long as it lives: the time of one run.

    What fails is counted anew when it is asked for again. All methods raise what the account of
    that name raises.

    Args:
        manifest: With compiled code.
        warehouse: The customer's data.
        schema: Observed schema of a watched relation; None when there is no such table.
    """

    def __init__(
        self,
        manifest: Manifest,
        warehouse: Warehouse,
        schema: Callable[[Relation], TableSchema | None],
    ) -> None:
        self.manifest = manifest
        """With compiled code."""
        self.warehouse = warehouse
        """The customer's data."""
        self._schema = schema
        self._keys: dict[str, KeyAccount | None] = {}
        self._currencies: dict[str, CurrencyAccount | None] = {}
        self._nulls: dict[str, NullAccount | None] = {}

    def schema(self, uid: str) -> TableSchema | None:
        """Observed schema of an asset; None when it has no table."""
        relation = self.manifest.asset(uid).relation
        return self._schema(relation) if relation is not None else None

    def keys(self, uid: str) -> KeyAccount | None:
        """See `account_keys`."""
        return _once(
            self._keys,
            uid,
            lambda: account_keys(uid, self.manifest, self.warehouse, self.schema(uid)),
        )

    def currencies(self, uid: str) -> CurrencyAccount | None:
        """See `account_currencies`."""
        return _once(
            self._currencies,
            uid,
            lambda: account_currencies(uid, self.manifest, self.warehouse, self._around(uid)),
        )

    def nulls(self, uid: str) -> NullAccount | None:
        """See `account_nulls`."""
        return _once(
            self._nulls,
            uid,
            lambda: account_nulls(uid, self.manifest, self.warehouse, self._around(uid)),
        )

    def _around(self, uid: str) -> Mapping[str, TableSchema]:
        """Schemas of an asset and of what it reads."""
        found = {each: self.schema(each) for each in (uid, *self.manifest.parents(uid))}
        return {each: schema for each, schema in found.items() if schema is not None}


def _once(known: dict[str, T], uid: str, count: Callable[[], T]) -> T:
    if uid not in known:
        known[uid] = count()
    return known[uid]
