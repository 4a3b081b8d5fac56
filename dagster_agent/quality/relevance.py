"""Which assets promise something, told from the manifest alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from dagster_agent.model import Asset

_DECLARING = ("quality", "invariants", "expectations")
"""Keys of `meta.dagster_agent` that make promises."""
_TESTS = frozenset(
    """
    accepted_range accepted_values expression_is_true not_empty_string
    not_null not_null_proportion relationships relationships_where unique
    unique_combination_of_columns
    """.split()  # noqa: SIM905 - one name a word is easier to review
)
"""Generic dbt tests whose promise is measured here as a share."""


def has_promises(asset: Asset, manifest_tests: Sequence[str]) -> bool:
    """Whether anything that an asset declares can be measured.

    Args:
        asset: As the manifest describes it.
        manifest_tests: Names of the generic dbt tests that are written on it.
    """
    if any(test in _TESTS for test in manifest_tests):
        return True
    ours: object = asset.meta.get("dagster_agent")
    if not isinstance(ours, Mapping):
        return False
    told = cast("Mapping[str, Any]", ours)
    return any(told.get(key) for key in _DECLARING)
