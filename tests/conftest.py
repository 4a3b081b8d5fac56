"""What every test shares: property tests without a deadline, and no secrets of the developer's."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["tests.postgres_server"]

# A deadline in milliseconds fails by chance on a machine with two busy cores.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
