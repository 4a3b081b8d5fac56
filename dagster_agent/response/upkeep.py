"""What has to be tidied up now and then: superseded history, sandboxes of killed processes."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta

from dagster_agent.response.workspace import Workspace

_EVERY = timedelta(days=1)
_LAST = "upkeep/last"
_ABANDONED_AFTER = timedelta(days=1)


def tend(workspace: Workspace, *, now: datetime) -> None:
    """Once a day: remove superseded history, and folders that a killed process left behind.

    Args:
        workspace: The opened project.
        now: UTC.

    Raises:
        ConnectorError: The state database does not answer.
    """
    last = workspace.store.get(_LAST)
    if last is not None and now - datetime.fromisoformat(last) < _EVERY:
        return
    workspace.store.put(_LAST, now.isoformat())
    workspace.store.prune(before=now - timedelta(days=workspace.settings.state.retention_days))
    home = workspace.state_directory / "sandboxes"
    for folder in home.iterdir() if home.is_dir() else ():
        age = now.timestamp() - folder.stat().st_mtime
        if age > _ABANDONED_AFTER.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)
