"""Text that is no text is an error that names its source, never a traceback of the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_agent.connectors.record_sources.landing import land_records
from dagster_agent.errors import ConnectorError


def test_half_a_surrogate_pair_is_told_as_the_sources(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match="ledger cannot be read"):
        land_records([{"name": "\ud83d"}], tmp_path / "landed.duckdb", name="ledger")
