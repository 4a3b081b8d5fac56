"""Has a young day as many rows as days of its age usually have?

Rows of a day keep coming after its end. Each earlier day that was counted at about the same age
(within a quarter of it, or two hours) says how many were there by then; the newest count of the
youngest day is compared with them, so that a day is neither called short before its rows are due,
nor trusted until all late ones have come.

Not this detector: days older than three, which are judged as the metrics that they make up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dagster_agent.anomaly.detector import Judgement, Told, anomaly_detector

if TYPE_CHECKING:
    from dagster_agent.anomaly.arrival import Arrival
    from dagster_agent.anomaly.study import Study

_OLDEST = 3 * 86_400.0
"""Seconds after its end that a day is young."""
_FEWEST = 7
"""Earlier days that were counted at that age."""


@anomaly_detector(id="late-arrival")
def late_arrival(study: Study) -> Sequence[Told]:
    """Compare the youngest counted day with earlier ones at its age."""
    seen = [arrival for arrival in study.arrivals if _age(arrival) >= 0]
    newest = max(seen, key=lambda a: (a.at, a.day), default=None)
    if newest is None or _age(newest) > _OLDEST:
        return []
    judgement = _judge(newest, seen, study)
    return [Told(metric="arrived_rows", value=newest.rows, judgement=judgement)]


def _age(arrival: Arrival) -> float:
    """Seconds since the end of the day."""
    end = datetime.combine(arrival.day, datetime.min.time(), UTC) + timedelta(days=1)
    return (arrival.at - end).total_seconds()


def _judge(newest: Arrival, seen: Sequence[Arrival], study: Study) -> Judgement:
    import numpy as np

    from dagster_agent.anomaly.limits import Limits, visible_spreads
    from dagster_agent.anomaly.robust import spreads

    config, age = study.config, _age(newest)
    reach = max(7200.0, 0.25 * age)
    by_age: dict[object, Arrival] = {}
    final: dict[object, Arrival] = {}
    for each in sorted(seen, key=lambda a: a.at):
        if each.day >= newest.day:
            continue
        final[each.day] = each
        known = by_age.get(each.day)
        nearer = known is None or abs(_age(each) - age) < abs(_age(known) - age)
        if abs(_age(each) - age) <= reach and nearer:
            by_age[each.day] = each
    past = np.array([[each.rows for each in by_age.values()]], dtype=np.float64)
    spread = spreads(past, config.threshold, np.ones(1), np.array([config.floor_share]))
    limits = Limits(
        most=config.training_points, threshold=config.threshold, share=config.false_alarm_share
    )
    threshold = limits.threshold_of(spread)
    level, room = float(spread.center[0]), float((threshold * spread.deviation)[0])
    score = np.clip((newest.rows - spread.center) / spread.deviation, -999.0, 999.0)
    shares = [by_age[d].rows / final[d].rows for d in by_age if final[d].rows > 0]
    trained = len(by_age) >= _FEWEST
    off = trained and abs(newest.rows - level) > room
    return Judgement(
        trained=trained,
        points=len(by_age),
        days=len(by_age),
        points_needed=_FEWEST,
        level=level,
        low=max(level - room, 0.0),
        high=level + room,
        visible=float((visible_spreads(spread.count, threshold) * spread.deviation)[0]),
        score=float(score[0]),
        probability=float(limits.probability(score, spread)[0]),
        set_aside=0,
        unusual_since=newest.at if off else None,
        basis=f"days that were {age / 3600:.0f} hours old",
        reason=f"rows of {newest.day}, of which {np.median(shares):.0%} usually are there by then"
        if shares
        else "",
    )
