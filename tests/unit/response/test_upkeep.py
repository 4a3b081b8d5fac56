"""Once a day, and never what people rely on."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dagster_agent.model import Detection, DetectionStatus
from dagster_agent.response import Workspace
from dagster_agent.response.upkeep import tend
from dagster_agent.settings import Settings

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


def test_history_and_left_over_sandboxes_go(case_project: Path, tmp_path: Path) -> None:
    with Workspace.open(
        Settings(), project_dir=case_project, state_directory=tmp_path / "state"
    ) as opened:
        for days in (200, 100, 1):
            opened.store.save_detection(
                Detection(
                    detector="schema-drift",
                    asset="model.case.stg",
                    status=DetectionStatus.PASSED,
                    headline=f"{days} days ago",
                    observed_at=NOW - timedelta(days=days),
                )
            )
        old, new = (opened.state_directory / "sandboxes" / name for name in ("old", "new"))
        for folder, days in ((old, 3), (new, 0)):
            folder.mkdir(parents=True)
            moment = (NOW - timedelta(days=days)).timestamp()
            os.utime(folder, (moment, moment))

        tend(opened, now=NOW)

        assert not old.exists()
        assert new.exists()
        latest = opened.store.latest_detection("model.case.stg", "schema-drift")
        assert latest is not None
        assert latest.headline == "1 days ago"
        assert opened.store.prune(before=NOW - timedelta(days=90)) == 0

        old.mkdir()
        os.utime(old, (0, 0))
        tend(opened, now=NOW + timedelta(hours=23))
        assert old.exists()
        tend(opened, now=NOW + timedelta(hours=25))
        assert not old.exists()
