"""dbt projects with a past: a clone whose commits were made by people, and its bare remote.

A history is told as commits that add files of the finished project. Where a file once looked
different, the commit says what to put in place of its finished text; a later commit that names the
file again brings it to its final form.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

Edit = tuple[str, str]
"""What to replace in a file, and by what. The first must occur exactly once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Somebody who commits."""

    name: str
    """Full name."""
    email: str
    """Their address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCommit:
    """One commit of a history."""

    subject: str
    """First line of the message."""
    author: Author
    """Who made it; also its committer."""
    at: datetime
    """When (aware)."""
    files: Sequence[str]
    """Patterns of the finished project's files that it adds or brings to their final form."""
    as_it_was: Mapping[str, Sequence[Edit]] = field(
        default_factory=lambda: dict[str, Sequence[Edit]]()
    )
    """Files among them that looked different then: from the finished text to the text of then."""


def create_history(
    finished: Path, commits: Sequence[PlannedCommit], *, clone: Path, remote: Path
) -> None:
    """Make `clone` (on `main`) and its bare `origin` with these commits.

    Both are made beside their place and moved there, the clone last: where the clone exists, all
    is complete. Whatever an interrupted attempt left of the remote is replaced.
    """
    remote_making, clone_making = _emptied(remote), _emptied(clone)
    run_git(remote_making, "init", "--quiet", "--bare", "--initial-branch=main", "--template=")
    run_git(clone_making, "init", "--quiet", "--initial-branch=main", "--template=")
    for commit in commits:
        _write_files(finished, commit, clone_making)
        commit_all(clone_making, commit.subject, author=commit.author, at=commit.at)
    run_git(clone_making, "remote", "add", "origin", str(remote_making))
    run_git(clone_making, "push", "--quiet", "--set-upstream", "origin", "main")
    run_git(clone_making, "remote", "set-url", "origin", str(remote))
    run_git(clone_making, "remote", "set-head", "origin", "main")
    shutil.rmtree(remote, ignore_errors=True)
    remote_making.rename(remote)
    clone_making.rename(clone)


def commit_all(clone: Path, message: str, *, author: Author, at: datetime) -> str:
    """Commit everything that changed in the working tree; the new commit's sha."""
    run_git(clone, "add", "--all")
    run_git(clone, "commit", "--quiet", "--no-verify", "--message", message, author=author, at=at)
    return run_git(clone, "rev-parse", "HEAD").strip()


def write_edited(source: Path, edits: Sequence[Edit], target: Path) -> None:
    """Write `source`'s text to `target`, edited in order.

    Raises:
        ValueError: A text to replace does not occur exactly once.
    """
    text = source.read_text(encoding="utf-8")
    for old, new in edits:
        if text.count(old) != 1:
            raise ValueError(f"{source} holds {old!r} {text.count(old)} times instead of once")
        text = text.replace(old, new)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def run_git(
    directory: Path, *arguments: str, author: Author | None = None, at: datetime | None = None
) -> str:
    """Run git without the settings, hooks and environment of whoever runs it; its output.

    Raises:
        RuntimeError: git refused; the message holds what it said.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    if author and at:
        moment = at.astimezone(UTC).isoformat()
        for role in ("AUTHOR", "COMMITTER"):
            environment[f"GIT_{role}_NAME"] = author.name
            environment[f"GIT_{role}_EMAIL"] = author.email
            environment[f"GIT_{role}_DATE"] = moment
    settings = ("-c", "core.autocrlf=false", "-c", "core.hooksPath=", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(directory), *settings, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"git {arguments[0]} failed in {directory}: {done.stderr.strip()}")
    return done.stdout


def _emptied(place: Path) -> Path:
    making = place.with_name(f".making-{place.name}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    return making


def _write_files(finished: Path, commit: PlannedCommit, clone: Path) -> None:
    for pattern in commit.files:
        sources = sorted(path for path in finished.glob(pattern) if path.is_file())
        if not sources:
            raise ValueError(
                f"{commit.subject!r} names {pattern!r}, which the project does not have"
            )
        for source in sources:
            name = source.relative_to(finished).as_posix()
            write_edited(source, commit.as_it_was.get(name, ()), clone / name)
