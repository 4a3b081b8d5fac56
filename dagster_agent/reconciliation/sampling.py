"""What a sample of the keys says about all of them."""

from __future__ import annotations

from dagster_agent.reconciliation.wording import share, things


def largest_share(differing: int, compared: int, confidence: float) -> float:
    """The largest share of differing keys that a sample leaves possible, at that confidence.

    One-sided Clopper-Pearson bound; with no difference it is 1 - (1 - confidence) ** (1 / n), of
    which the rule of three is the approximation (Hanley and Lippman-Hand, 1983).
    """
    if compared <= 0 or differing >= compared:
        return 1.0
    if not differing:
        return 1 - (1 - confidence) ** (1 / compared)
    from scipy.stats import beta

    return float(beta.ppf(confidence, differing + 1, compared - differing))


def told_sample(
    differing: int, compared: int, total: int, confidence: float, keys: tuple[str, ...]
) -> str:
    """`no difference in 10,000 of 2,000,000 sampled keys: at 95 % fewer than 0.03 % differ`."""
    found = f"{differing:,} differences" if differing else "no difference"
    found = "1 difference" if differing == 1 else found
    bound = largest_share(differing, compared, confidence)
    return (
        f"{found} in a sample of {compared:,} of {total:,} {things(keys)}: at "
        f"{confidence * 100:g} % confidence fewer than {share(bound, 1)} differ"
    )
