"""How the project itself converts currencies: a seed of rates that its models join."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from dagster_agent.errors import QueryRefused
from dagster_agent.investigation.accounts.amount_lineage import AmountLineage, leaves
from dagster_agent.investigation.clues.measures import ISO_CODES, is_currency_name, is_rate, words
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.model import Asset, Relation
from dagster_agent.sql.columns import owner
from dagster_agent.sql.identifiers import relation_sql
from dagster_agent.sql.scopes import SelectScope, parsed_blocks, select_scopes
from dagster_agent.sql.statement import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRate:
    """A rate of exchange as a model of the project applies it."""

    seed: Asset
    """Holds a rate per currency."""
    code: str
    """Its column with the currency."""
    rate: str
    """Its column with the rate."""
    divides: bool
    """Amounts are divided by the rate; else multiplied."""

    @property
    def target(self) -> frozenset[str]:
        """The currency that amounts are in afterwards, in upper case; empty where the name of the
        rate does not tell."""
        return frozenset(code.upper() for code in words(self.rate) & ISO_CODES)

    def jinja(self, amount: str, currency: str) -> str:
        """The converted amount, as a model file may write it."""
        return self._applied(amount, f"{{{{ ref('{self.seed.name}') }}}}", currency)

    def sql(self, amount: str, currency: str, relation: Relation, dialect: str) -> str:
        """The same as dbt compiles it."""
        return self._applied(amount, relation_sql(relation, dialect), currency)

    def _applied(self, amount: str, table: str, currency: str) -> str:
        sign = "/" if self.divides else "*"
        return f"{amount} {sign} (select {self.rate} from {table} where {self.code} = {currency})"

    def covers(self, currencies: frozenset[str], codebase: Codebase) -> bool:
        """Whether the seed's file has a rate for each of these currencies."""
        text = codebase.text(self.seed.path)
        if text is None:
            return False
        rows = csv.DictReader(io.StringIO(text))
        listed = {(row.get(self.code) or "").strip().upper() for row in rows if row.get(self.rate)}
        return currencies <= listed


def project_rates(lineage: AmountLineage) -> tuple[ProjectRate, ...]:
    """Every way in which a model converts an amount with a rate from a seed, once."""
    found: dict[tuple[str, str, str, bool], ProjectRate] = {}
    for uid in lineage.manifest.assets:
        sql = lineage.manifest.compiled_code(uid) if uid.startswith("model.") else None
        if not sql:
            continue
        try:
            scopes = {s.name: s for s in select_scopes(sql, lineage.dialect, columns=lineage.known)}
            blocks = parsed_blocks(sql, lineage.dialect)
        except QueryRefused:
            continue
        for block in blocks:
            for rate in _rates_of(block, scopes[block.scope], lineage):
                found.setdefault((rate.seed.unique_id, rate.code, rate.rate, rate.divides), rate)
    return tuple(found.values())


def _rates_of(block: Block, scope: SelectScope, lineage: AmountLineage) -> Iterator[ProjectRate]:
    for projection in block.select.expressions:
        for node in projection.find_all(exp.Div, exp.Mul):
            column = node.right.unnest()
            if not isinstance(column, exp.Column) or not is_rate(column.name):
                continue
            source = owner(column, block, lineage.known)
            join = next(
                (j for j in scope.joins if source and j.source.alias == source.alias_or_name), None
            )
            leaf = next(iter(leaves(column, block, lineage.known)), None)
            seed = lineage.manifest.by_relation(leaf.relation) if leaf else None
            if join is None or leaf is None or seed is None or seed.resource_type != "seed":
                continue
            by_currency = len(join.keys) == 1 and is_currency_name(_last_name(join.keys[0][0]))
            if by_currency and len(join.table_keys) == 1:
                yield ProjectRate(
                    seed=seed,
                    code=join.table_keys[0],
                    rate=leaf.column,
                    divides=isinstance(node, exp.Div),
                )


def _last_name(expression: str) -> str:
    return expression.rsplit(".", 1)[-1].strip('"`[]')
