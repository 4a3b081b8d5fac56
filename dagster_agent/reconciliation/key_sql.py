"""One number per key that both sides compute alike, for taking or leaving out the same keys."""

from __future__ import annotations

from dataclasses import replace

from dagster_agent.reconciliation.comparison import TablePair
from dagster_agent.reconciliation.row_comparison.columns import compared_columns
from dagster_agent.reconciliation.row_comparison.portable_hash import hash_number
from dagster_agent.reconciliation.row_comparison.value_forms import (
    joined,
    text_form,
)

_PARTS = 1_000_003
"""A prime, so that the sample has nothing to do with how keys are numbered."""


def key_hash(pair: TablePair, *, ours: bool) -> str:
    """SQL for 60 bits of the hash of a row's key on one side.

    Raises:
        ConfigError: The keys cannot be compared, or the dialect has no canonical forms yet.
    """
    dialect = (pair.ours if ours else pair.theirs).warehouse.dialect
    keys = compared_columns(replace(pair, columns={}), native=False).keys
    texts = [
        text_form(key.ours if ours else key.theirs, key.kind, dialect, is_text=key.text)
        for key in keys
    ]
    return hash_number(joined(texts), dialect)


def sampled(pair: TablePair, share: float) -> TablePair:
    """Both sides with the rows of that share of the keys, the same keys on both."""
    limit = max(1, round(share * _PARTS))
    ours = pair.ours.restricted(f"mod({key_hash(pair, ours=True)}, {_PARTS}) < {limit}")
    theirs = pair.theirs.restricted(f"mod({key_hash(pair, ours=False)}, {_PARTS}) < {limit}")
    return replace(pair, ours=ours, theirs=theirs)
