"""What `prune` removes: history that nothing reads any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Delete, delete, func, select, tuple_

from dagster_agent.connectors.state_stores.tables import detections, leases, metrics, stages
from dagster_agent.ports.state_store import KEPT_POINTS


def prunings(*, before: datetime) -> Sequence[Delete]:
    """See `StateStore.prune`; each is a transaction of its own, so that nobody waits for all."""
    return (_old_detections(before), _old_points(before), _old_stages(before))


def _old_detections(before: datetime) -> Delete:
    newer = detections.alias("newer")
    place = tuple_(detections.c.observed_at, detections.c.sequence)
    superseded = (
        select(newer.c.sequence)
        .where(
            newer.c.asset == detections.c.asset,
            newer.c.detector == detections.c.detector,
            tuple_(newer.c.observed_at, newer.c.sequence) > place,
        )
        .exists()
    )
    return delete(detections).where(detections.c.observed_at < before, superseded)


def _old_points(before: datetime) -> Delete:
    key = (metrics.c.asset, metrics.c.metric, metrics.c.at)
    age = func.row_number().over(
        partition_by=(metrics.c.asset, metrics.c.metric), order_by=metrics.c.at.desc()
    )
    ranked = select(*key, age.label("age")).subquery()
    unread = select(ranked.c.asset, ranked.c.metric, ranked.c.at).where(
        ranked.c.age > KEPT_POINTS, ranked.c.at < before
    )
    return delete(metrics).where(tuple_(*key).in_(unread))


def _old_stages(before: datetime) -> Delete:
    finished = (
        select(stages.c.investigation)
        .group_by(stages.c.investigation)
        .having(func.max(stages.c.saved_at) < before)
    )
    still_at_it = select(leases.c.holder).where(
        leases.c.holder.is_not(None), leases.c.expires_at >= before
    )
    return delete(stages).where(
        stages.c.investigation.in_(finished), stages.c.investigation.not_in(still_at_it)
    )
