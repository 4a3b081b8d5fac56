"""`Codebase`: the dbt project's code and its history, as bug patterns read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.git.repository import Commit, GitRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Codebase:
    """Read-only view of code and commits. Everything in commits is untrusted text."""

    root: Path
    """The dbt project's folder."""
    manifest: Manifest
    """With compiled code."""
    dialect: str
    """sqlglot's name of the warehouse's dialect."""
    repository: GitRepository | None = None
    """None when the project is not under git."""
    prefix: str = ""
    """The dbt project's folder inside the repository, POSIX, empty at its root."""
    max_commits: int = 30
    """Commits looked at per file."""

    def text(self, path: str) -> str | None:
        """A project file's text as it is on disk; None when it is not there."""
        file = self.root / path
        return file.read_text(encoding="utf-8") if file.is_file() else None

    def path_in_repository(self, path: str) -> str:
        """A project file's path as git names it."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def versions(self, path: str) -> Iterator[tuple[Commit, str | None, str | None]]:
        """Commits that touched a project file, newest first, with its text after and before each.

        Args:
            path: File relative to the dbt project.

        Yields:
            The commit, the text it left (None: deleted), the text it found (None: created).
        """
        if self.repository is None:
            return
        name = self.path_in_repository(path)
        commits = self.repository.log([name], limit=self.max_commits)
        # a renamed file had another name in its older commits
        texts = [
            self.repository.file_at(commit.sha, commit.files[0] if commit.files else name)
            for commit in commits
        ]
        for index, commit in enumerate(commits):
            # The oldest commit that git shows either created the file or lies beyond the limit.
            older = texts[index + 1] if index + 1 < len(commits) else None
            yield commit, texts[index], older
