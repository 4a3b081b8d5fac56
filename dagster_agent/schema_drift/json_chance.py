"""How likely is it that a difference between two samples of documents is chance?

Whatever documents are like, two samples of the same kind can be shuffled: then the documents that
have a key lie anywhere among all of them. The numbers here are the shares of shufflings in which
they lie as they were found (Fisher's exact test, one-sided), so that nothing is estimated. Where
the samples share documents the true number is smaller still.
"""

from __future__ import annotations

from math import exp, lgamma

LEVEL = 1e-6
"""What is told is at most as likely as this to be chance."""


def all_elsewhere(having: int, among: int, without: int) -> float:
    """All documents that have a key are among the first ones, and none in the others.

    Args:
        having: Documents that have it.
        among: Documents among which they lie, not fewer.
        without: Further ones, none of which has it.
    """
    if having <= 0 or without <= 0:
        return 1.0
    # C(among, having) / C(among + without, having)
    return exp(
        min(
            0.0,
            (lgamma(among + 1) - lgamma(among - having + 1))
            - (lgamma(among + without + 1) - lgamma(among + without - having + 1)),
        )
    )


def newly_there(having: int, newest: int, seen: int, before: int) -> float:
    """None of the documents before had it, and of those seen now these have.

    Args:
        having: Documents that have it now.
        newest: How many of the newest hold all of them.
        seen: Documents looked at now.
        before: Documents looked at before, none of which had it.
    """
    since = all_elsewhere(having, seen, before)
    recent = all_elsewhere(having, newest, seen - newest)
    # the better of two tests costs a factor of two
    return min(1.0, 2 * min(since, recent))


def chance_text(chance: float) -> str:
    """`chance: p = 2e-67`; beyond 1e-99 nobody counts."""
    return f"chance: p = {chance:.0e}" if chance > 1e-99 else "chance: p < 1e-99"


def share_text(having: int, among: int) -> str:
    """`97%`; `all` only where it is all."""
    if having == among:
        return "all"
    return f"{min(99.9, 100 * having / among):.3g}%"
