"""Are the values of a column spread otherwise than before?

The newest distribution is compared with the mean of the ordinary ones before it, and with that of
the same weekday where there are three, and with each that a person called expected: the nearest
counts. The Jensen-Shannon distance decides, together with one other measure: for numbers
Kolmogorov-Smirnov or the population stability index, for categories chi-square. Each is judged by
its own variation: every earlier distribution was compared in the same way when it was the newest,
so what is usual between two days, sampling included, is no alarm. A distance below 0.05, or of the
size that so few rows make by chance, is none either. Distributions that were unusual teach nothing.

Not this detector: labels that are new or gone (`category-set`).

Source: Lin 1991 for the Jensen-Shannon divergence; its expectation for a sample of n rows in k
labels is about (k - 1) / (8 n ln 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dagster_agent.anomaly.detector import Judgement, Told, anomaly_detector

if TYPE_CHECKING:
    from dagster_agent.anomaly.mix import Mixes
    from dagster_agent.anomaly.study import Study

_FEWEST = 5
"""Distributions to compare with."""
_TRAINED = 7
"""Comparisons that make a usual distance."""
_LEAST = 0.05
"""Jensen-Shannon distance below which nothing matters."""
_CHANCE = 2.5
"""Distances of that many times what the sample makes by chance are no alarm."""


@anomaly_detector(id="distribution-drift")
def distribution_drift(study: Study) -> Sequence[Told]:
    """Compare each column's newest distribution with those before."""
    from dagster_agent.anomaly.mix import mixes

    found: list[Told] = []
    for column, distributions in sorted(study.distributions.items()):
        laid = mixes(distributions, study.config)
        if laid is None:
            continue
        numeric = distributions[-1].kind == "numeric"
        metric = f"distribution.{column}"
        accepted = study.expected.get(metric, frozenset())
        expected = [place for place, at in enumerate(laid.at[:-1]) if at in accepted]
        value, judgement = _judge(laid, study, expected, numeric=numeric)
        found.append(Told(metric=metric, value=value, judgement=judgement))
    return found


def _judge(
    laid: Mixes, study: Study, expected: Sequence[int], *, numeric: bool
) -> tuple[float, Judgement]:
    import numpy as np

    ordinary: list[int] = []
    usual: list[list[float]] = []
    odd: list[int] = []
    last = len(laid.at) - 1
    for place in range(last):
        if place in expected:
            continue
        measured = _measures(laid, ordinary, expected, place, numeric=numeric)
        if measured is not None and _over(measured, usual, laid, place, study)[0]:
            odd.append(place)
            continue
        ordinary.append(place)
        usual += [measured] if measured else []
    measured = _measures(laid, ordinary, expected, last, numeric=numeric)
    trained, measured = bool(measured) and len(usual) >= _TRAINED, measured or [0.0, 0.0]
    over, limit, score, chance = _over(measured, usual, laid, last, study)
    run = [p for p in odd if all(q in odd for q in range(p, last))]
    level = float(np.median([u[0] for u in usual])) if usual else 0.0
    return measured[0], Judgement(
        trained=trained,
        points=len(ordinary),
        days=len({laid.at[place].date() for place in ordinary}),
        points_needed=_FEWEST + _TRAINED,
        level=level,
        low=0.0,
        high=limit,
        visible=limit,
        score=score,
        probability=chance if trained else 1.0,
        set_aside=len(odd),
        unusual_since=laid.at[run[0] if run else last] if trained and over else None,
        returned=trained and bool(run) and not over,
        basis="Jensen-Shannon distance to the ordinary mix",
        reason=_largest(laid, ordinary, last) if trained and over else "",
    )


def _measures(
    laid: Mixes, ordinary: Sequence[int], expected: Sequence[int], place: int, *, numeric: bool
) -> list[float] | None:
    """Jensen-Shannon, and the measure that must agree; against the nearest reference."""
    from dagster_agent.anomaly import mix

    if len(ordinary) < _FEWEST:
        return None
    weekday = laid.at[place].weekday()
    same = [p for p in ordinary if laid.at[p].weekday() == weekday]
    shares = laid.shares
    found: list[list[float]] = []
    alone = [[each] for each in expected if each < place]
    for chosen in (list(ordinary), *([same] if len(same) >= 3 else []), *alone):
        reference = shares[chosen].mean(axis=0)
        distance = mix.jensen_shannon(shares[place], reference)
        if numeric:
            second = mix.kolmogorov_smirnov(shares[place], reference)
            second = max(second, mix.population_stability(shares[place], reference))
        else:
            second = mix.chi_square(laid.counts[place], reference)
        found.append([distance, second])
    return min(found)


def _over(
    measured: Sequence[float],
    usual: Sequence[Sequence[float]],
    laid: Mixes,
    place: int,
    study: Study,
) -> tuple[bool, float, float, float]:
    """Whether both measures are beyond their own variation; of the first, limit, score, chance."""
    import numpy as np

    from dagster_agent.anomaly.limits import Limits
    from dagster_agent.anomaly.robust import spreads

    if len(usual) < _TRAINED:
        return False, 0.0, 0.0, 1.0
    past = np.array(usual).T
    none = np.zeros(2)
    config = study.config
    spread = spreads(past, config.threshold, none, none + 0.1)
    limits = Limits(
        most=config.training_points, threshold=config.threshold, share=config.false_alarm_share
    )
    away = limits.threshold_of(spread) * spread.deviation
    limit: Any = spread.center + away
    rows = float(laid.counts[place].sum())
    chance = ((len(laid.labels) - 1) / (8 * np.log(2) * rows)) ** 0.5
    first = max(float(limit[0]), _LEAST, _CHANCE * float(chance))
    score = (np.array(measured) - spread.center) / np.maximum(spread.deviation, 1e-9)
    score = np.clip(score, -999.0, 999.0)
    probability = limits.probability(score, spread)
    over = measured[0] > first and measured[1] > float(limit[1])
    return over, first, float(score[0]), float(probability[0])


def _largest(laid: Mixes, ordinary: Sequence[int], place: int) -> str:
    """The label whose share changed most."""
    import numpy as np

    shares = laid.shares
    usual = shares[list(ordinary)].mean(axis=0)
    label = int(np.argmax(np.abs(shares[place] - usual)))
    return (
        f"`{laid.labels[label]}` went from {usual[label]:.1%} to {shares[place][label]:.1%} "
        "of the values"
    )
