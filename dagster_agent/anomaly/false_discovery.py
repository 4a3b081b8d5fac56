"""Many numbers judged at once: how many of the alarms are chance?"""

from __future__ import annotations

from collections.abc import Sequence


def discoveries(probabilities: Sequence[float], share: float) -> tuple[bool, ...]:
    """Which hypotheses of "nothing unusual" to reject, in the given order.

    Args:
        probabilities: Of a value at least as far away, were nothing unusual.
        share: Largest expected share of false ones among those rejected.

    Source: Benjamini and Hochberg 1995, "Controlling the false discovery rate".
    """
    count = len(probabilities)
    limit = -1.0
    for rank, probability in enumerate(sorted(probabilities), start=1):
        if probability <= share * rank / count:
            limit = probability
    return tuple(probability <= limit for probability in probabilities)
