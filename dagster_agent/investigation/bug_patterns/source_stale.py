"""A source has stopped, or its last load brought nothing, and every run is green."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dagster_agent.errors import QueryRefused
from dagster_agent.investigation.accounts.loads import LoadAccount
from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.clues.arrivals import Silence, ThinDay, silence, thin_day
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import (
    Asset,
    Evidence,
    Hypothesis,
    Invariant,
    Recheck,
    ResultTable,
    TableSchema,
)
from dagster_agent.sql.identifiers import quote, relation_sql, same_relation
from dagster_agent.sql.lineage import column_origin

_SILENT = 0.7
"""Nothing was loaded for longer than ever: above an inner join that always was one."""
_SILENT_EVENTS = 0.6
"""The same by a column that tells when things happened, not when they were loaded."""
_LONG = 0.05
"""Silent for more than twice the limit."""
_THIN = 0.6
"""A day brought less than a tenth of its usual rows; days can be quiet for other reasons."""
_EMPTY = 0.62
"""The table is there and holds no row."""


@bug_pattern(id="source-stale")
def source_stale(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A source has not been loaded for longer than usual, or its last load brought next to nothing.

    Seen as: the newest row is older than the source's own cadence (or dbt's `error_after`) allows,
    the last whole day has less than a tenth of its usual rows, or the table is empty; the runs on
    it are green, since old rows build as well as new ones.
    Not this pattern: models that were not built since their sources were loaded, sources with
    `freshness: null`, tables that nobody has loaded for months.
    Refuted if: building the models anew from the same source brings the missing days.
    """
    late = [(account, found) for account in dossier.loads if (found := _late(account, dossier))]
    for account, found in late:
        others = [codebase.manifest.asset(a.asset).name for a, _ in late if a is not account]
        yield _hypothesis(account, found, others, dossier, codebase)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Empty:
    """The table holds no row."""


_Trouble = Silence | ThinDay | _Empty


def _late(account: LoadAccount, dossier: Dossier) -> _Trouble | None:
    if account.rows == 0:
        return None if account.off else _Empty()
    now = dossier.collected_at
    return silence(account, now) or thin_day(account, now)


def _hypothesis(
    account: LoadAccount,
    trouble: _Trouble,
    others: list[str],
    dossier: Dossier,
    codebase: Codebase,
) -> Hypothesis:
    source = codebase.manifest.asset(account.asset)
    mechanism = _told(source, account, trouble)
    if others:
        mechanism += f" The same holds of {', '.join(others)}."
    seen = _seen(source, account, dossier, codebase)
    return Hypothesis(
        pattern="source-stale",
        asset=source.unique_id,
        mechanism=mechanism,
        refuted_by="building the models anew from the same source brings the missing days",
        confidence=_confidence(account, trouble),
        evidence=tuple(_evidence(source, account, dossier)),
        files=(source.path,),
        recheck=Recheck.INVARIANT,
        invariant=_invariant(seen, trouble, dossier.collected_at, codebase.dialect),
        data_cause=True,
    )


def _told(source: Asset, account: LoadAccount, trouble: _Trouble) -> str:
    if isinstance(trouble, _Empty):
        return f"{source.name} is empty: its load brought no row, and whatever reads it is built."
    if isinstance(trouble, ThinDay):
        return (
            f"{source.name} received {trouble.rows:,} rows on {trouble.day}, "
            f"usual are {trouble.usual:,.0f} on such a day; the runs on it are green."
        )
    usual = f"usual are {_span(trouble.usual)} at most" if trouble.usual else "dbt allows less"
    return (
        f"{source.name} has received nothing since {trouble.newest:%Y-%m-%d %H:%M} UTC "
        f"({account.column}): {_span(trouble.lasted)}, {usual}. "
        "The runs on it are green: old rows build as well as new ones."
    )


def _span(pause: timedelta) -> str:
    hours = pause.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"


def _confidence(account: LoadAccount, trouble: _Trouble) -> float:
    if isinstance(trouble, _Empty):
        return _EMPTY
    if isinstance(trouble, ThinDay):
        return _THIN
    confidence = _SILENT if account.load_time else _SILENT_EVENTS
    return round(confidence + (_LONG if trouble.lasted > 2 * trouble.limit else 0), 2)


def _evidence(source: Asset, account: LoadAccount, dossier: Dossier) -> Iterator[Evidence]:
    days = ResultTable(
        columns=("day", "rows", "newest"),
        rows=tuple((each.day, each.rows, each.newest) for each in account.by_day[-14:]),
        truncated=len(account.by_day) > 14,
    )
    newest = f", the newest of {account.newest:%Y-%m-%d %H:%M} UTC" if account.newest else ""
    yield Evidence(
        kind="arrivals",
        statement=f"{source.name} holds {account.rows:,} rows{newest}; "
        f"{len(account.by_day)} days with rows were looked at",
        query=account.query,
        result=days,
    )
    built = dossier.last_good
    if built is not None and account.newest is not None and built > account.newest:
        yield Evidence(
            kind="timeline",
            statement=f"the last good run, of {built:%Y-%m-%d %H:%M} UTC, came after the newest "
            "row: it is the data that is old, not the build",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """The column of arrivals where a build can show it: in a model that copies it."""

    asset: Asset
    """The model; the source itself where none copies the column."""
    moment: str
    """The column, or an expression, as SQL."""
    zoned: bool
    """It has a time zone."""


def _seen(
    source: Asset, account: LoadAccount, dossier: Dossier, codebase: Codebase
) -> _Seen | None:
    for uid in codebase.manifest.children(source.unique_id):
        schema = dossier.schemas.get(uid)
        name = _copied_as(uid, schema, source, account, codebase) if schema else None
        if schema is not None and name is not None:
            return _column(codebase.manifest.asset(uid), schema, name, codebase.dialect)
    schema = dossier.schemas.get(source.unique_id)
    if schema is None or source.relation is None:
        return None
    return _column(source, schema, account.column, codebase.dialect)


def _column(asset: Asset, schema: TableSchema, name: str | None, dialect: str) -> _Seen:
    column = schema.column(name or "")
    if column is None:
        return _Seen(asset=asset, moment=f"cast({name} as timestamp)", zoned=False)
    text = quote(column.name, dialect)
    moment = column.type.startswith(("TIMESTAMP", "DATE"))
    return _Seen(
        asset=asset,
        moment=text if moment else f"cast({text} as timestamp)",
        zoned="ZONE" in column.type or column.type.startswith(("TIMESTAMPTZ", "TIMESTAMP_TZ")),
    )


def _copied_as(
    uid: str, schema: TableSchema, source: Asset, account: LoadAccount, codebase: Codebase
) -> str | None:
    """Output column of a model that copies the source's column of arrivals."""
    sql = codebase.manifest.compiled_code(uid)
    if not sql or account.column is None or source.relation is None:
        return None
    for column in schema.columns:
        try:
            origin = column_origin(sql, codebase.dialect, column.name)
        except QueryRefused:
            return None
        if (
            origin is not None
            and same_relation(origin[0], source.relation)
            and origin[1].casefold() == account.column.casefold()
        ):
            return column.name
    return None


def _invariant(
    seen: _Seen | None, trouble: _Trouble, now: datetime, dialect: str
) -> Invariant | None:
    if seen is None or seen.asset.relation is None:
        return None
    table, name = relation_sql(seen.asset.relation, dialect), seen.asset.name
    if isinstance(trouble, _Empty):
        sql = f"select case when count(*) > 0 then 0 else 1 end as violations from {table}"
        return Invariant(statement=f"{name} holds rows", sql=sql)
    if isinstance(trouble, Silence):
        due = now - trouble.limit
        return Invariant(
            statement=f"{name} has a row from after {due:%Y-%m-%d %H:%M} UTC",
            sql=f"select case when max({seen.moment}) >= {_literal(due, seen)} "
            f"then 0 else 1 end as violations from {table}",
        )
    begin = datetime(trouble.day.year, trouble.day.month, trouble.day.day, tzinfo=now.tzinfo)
    return Invariant(
        statement=f"{name} has {trouble.limit:,} rows of {trouble.day} or more",
        sql=f"select case when count(*) >= {trouble.limit} then 0 else 1 end as violations "
        f"from {table} where {seen.moment} >= {_literal(begin, seen)} "
        f"and {seen.moment} < {_literal(begin + timedelta(days=1), seen)}",
    )


def _literal(moment: datetime, seen: _Seen) -> str:
    text = f"{moment:%Y-%m-%d %H:%M:%S}"
    return f"timestamptz '{text}+00:00'" if seen.zoned else f"timestamp '{text}'"
