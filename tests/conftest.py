"""What every test shares: property tests without a deadline, the order, the servers."""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

from tests import warm_dbt

pytest_plugins = ["tests.postgres_server"]

# A deadline in milliseconds fails by chance on a machine with two busy cores.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

_LONG = ("integration", "scenarios", "definitions", "response", "investigation", "repair")
"""Folders whose files take long."""


def pytest_sessionfinish() -> None:
    """The process behind the tests' `dbt` ends with them."""
    warm_dbt.end()


def pytest_collection_finish() -> None:
    """What has been collected stays: garbage need not be looked for in it again and again, which
    took 7 % of the processor time."""
    gc.set_threshold(50_000, 20, 100)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: one that comes last leaves the other worker idle for minutes."""

    def place(item: pytest.Item) -> int:
        folders = item.path.parts
        return next((n for n, name in enumerate(_LONG) if name in folders), len(_LONG))

    items.sort(key=place)
