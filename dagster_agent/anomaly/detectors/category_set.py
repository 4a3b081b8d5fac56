"""Is a category new, or gone?

A label is new if none of the earlier distributions had it and the newest has it in one value of a
hundred, at least five; it is gone if nearly every earlier distribution had it, at least ten values
of it were to be expected, and there is none. The chance is that of the same rows in another order.
Columns to which new labels come all the time (more than once in the history) are not judged for
new ones. New and gone are told until the labels are as before, or a person calls the labels of a
point expected, or `since` accepts them.

Not this detector: shares that move while the labels stay (`distribution-drift`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from dagster_agent.anomaly.detector import Judgement, Told, anomaly_detector, deviate

if TYPE_CHECKING:
    from dagster_agent.anomaly.mix import Mixes
    from dagster_agent.anomaly.study import Study

_FEWEST = 7
"""Earlier distributions."""
_SHARE = 0.01
"""Least share of a new label."""
_ROWS = 5
"""Least values of a new label."""
_EXPECTED = 10
"""Least values expected of a label that is gone."""
_PRESENT = 0.95
"""Share of earlier distributions that had a label that is gone."""
_TOLD = 3


@anomaly_detector(id="category-set")
def category_set(study: Study) -> Sequence[Told]:
    """Tell labels that are new or gone, by column."""
    from dagster_agent.anomaly.mix import mixes

    found: list[Told] = []
    for column, distributions in sorted(study.distributions.items()):
        if distributions[-1].kind != "category":
            continue
        laid = mixes(distributions, study.config)
        if laid is None or len(laid.at) <= _FEWEST:
            continue
        metric = f"categories.{column}"
        expected = study.expected.get(metric, frozenset())
        accepted = [place for place, at in enumerate(laid.at[:-1]) if at in expected]
        changes = [*_new(laid, accepted), *_gone(laid, accepted)]
        judgement = _judgement(laid, changes)
        found.append(Told(metric=metric, value=float(len(changes)), judgement=judgement))
    return found


def _new(laid: Mixes, accepted: Sequence[int]) -> list[tuple[str, datetime, float]]:
    """Labels that came lately: words, since when, chance."""
    last = len(laid.at) - 1
    had = laid.counts > 0
    firsts = [int(had[:, label].argmax()) for label in range(len(laid.labels))]
    visible = laid.shares >= _SHARE
    fresh: list[tuple[str, datetime, float]] = []
    turnover = 0
    for label, first in enumerate(firsts):
        known = bool(had[accepted, label].any())
        if known or not visible[:, label].any() or first < 3:
            continue
        stays = bool(had[first:, label].all())
        if first < _FEWEST or not stays or not visible[last, label]:
            turnover += 1
            continue
        count = float(laid.counts[last, label])
        if count >= _ROWS:
            share = laid.counts[first:].sum() / laid.counts.sum()
            words = f"new `{laid.labels[label]}` ({laid.shares[last, label]:.1%})"
            fresh.append((words, laid.at[first], float(share) ** min(count, 50.0)))
    return fresh if turnover <= 1 else []


def _gone(laid: Mixes, accepted: Sequence[int]) -> list[tuple[str, datetime, float]]:
    """Labels that are missing at the end: words, since when, chance."""
    had = laid.counts > 0
    rows = float(laid.counts[-1].sum())
    gone: list[tuple[str, datetime, float]] = []
    for label, name in enumerate(laid.labels):
        missed = bool((~had[accepted, label]).any())
        if missed or had[-1, label] or not had[:, label].any():
            continue
        since = len(laid.at) - int(had[::-1, label].argmax())
        before = had[:since, label]
        usual = float(laid.shares[:since, label].mean())
        if since >= _FEWEST and before.mean() >= _PRESENT and usual * rows >= _EXPECTED:
            chance = (1 - usual) ** rows if usual < 1 else 0.0
            gone.append((f"`{name}` is gone (was {usual:.1%})", laid.at[since], chance))
    return gone


def _judgement(laid: Mixes, changes: Sequence[tuple[str, datetime, float]]) -> Judgement:
    points = len(laid.at) - 1
    words = [each for each, _, _ in changes]
    more = [f"{len(words) - _TOLD} more"] * (len(words) > _TOLD)
    chance = min((chance for _, _, chance in changes), default=1.0)
    return Judgement(
        trained=True,
        points=points,
        days=len({at.date() for at in laid.at[:-1]}),
        points_needed=_FEWEST,
        level=0.0,
        low=0.0,
        high=0.0,
        visible=1.0,
        score=deviate(chance),
        probability=chance,
        set_aside=0,
        unusual_since=min((since for _, since, _ in changes), default=None),
        basis="labels of earlier points",
        reason=", ".join([*words[:_TOLD], *more]),
    )
