"""Where pull requests live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dagster_agent.errors import ConfigError

if TYPE_CHECKING:
    from dagster_agent.ports import CodeHost

KINDS = ("local",)
"""What `open_code_host` knows."""


def open_code_host(kind: str, *, remote_url: str | None, directory: Path) -> CodeHost:  # noqa: ARG001 - hosts with an address need it
    """The code host of that kind.

    Args:
        kind: One of `KINDS`.
        remote_url: URL of the git remote; tells hosts with an address which repository is meant.
        directory: Where `local` keeps its documents.

    Raises:
        ConfigError: Unknown kind.
    """
    if kind == "local":
        from dagster_agent.connectors.code_hosts.local import LocalCodeHost

        return LocalCodeHost(directory)
    raise ConfigError(f"unknown code host {kind!r}", hint=f"known: {', '.join(KINDS)}")
