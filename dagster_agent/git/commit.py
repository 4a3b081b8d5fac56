"""Commits made without a checkout: a temporary index, a tree, a commit, a branch.

A work tree of its own would check out every file of the repository, run its filters, and leave
traces behind when the process is killed; a temporary index does none of that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.git.command import attempt, git
from dagster_agent.git.edit import edited
from dagster_agent.model import FileEdit

_AUTHOR = re.compile(r"\s*([^<>\n]+?)\s*<([^<>\s]+)>\s*")
_NEW_FILE = "100644"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A file in a commit."""

    mode: str
    """git's mode, such as `100644`."""
    data: bytes
    """Content as stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A commit that is to be made."""

    tree: str
    """Tree's id."""
    parent: str
    """Commit it stands on."""
    message: str
    """Whole message."""
    author: str
    """`Name <address>`, author and committer."""
    at: datetime
    """Time of both."""


def blob(root: Path, sha: str, path: str) -> Blob | None:
    """The regular file at `path` in the commit `sha`; None when there is none."""
    entry = git(root, "ls-tree", "-z", "--full-tree", sha, "--", path).decode(errors="replace")
    if not entry:
        return None
    mode, kind, object_id = entry.split("\t")[0].split()
    if kind != "blob" or mode == "120000":
        return None
    return Blob(mode=mode, data=git(root, "cat-file", "blob", object_id))


def write_tree(root: Path, base: str, edits: Sequence[FileEdit], prefix: str) -> str:
    """The tree of `base` with the edits applied.

    Raises:
        ConfigError: A path that leaves the project.
        ConnectorError: A file is not as in `edit.before`, or nothing would change.
    """
    entries: list[bytes] = []
    for edit in edits:
        path = _inside(prefix, edit.path)
        found = blob(root, base, path)
        data = edited(edit, found.data if found else None, path=path)
        object_id = git(root, "hash-object", "-w", "--stdin", stdin=data).strip()
        mode = found.mode if found else _NEW_FILE
        entries.append(b"%b %b\t%b\0" % (mode.encode(), object_id, path.encode()))
    with TemporaryDirectory(prefix="dagster-agent-index-") as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git(root, "read-tree", base, env=env)
        git(root, "update-index", "-z", "--index-info", stdin=b"".join(entries), env=env)
        tree = git(root, "write-tree", env=env).decode().strip()
    if tree == _tree(root, base):
        names = ", ".join(edit.path for edit in edits)
        raise ConnectorError(f"the edits of {names} change nothing", hint="investigate again")
    return tree


def commit_on(root: Path, branch: str, tip: str | None, draft: Draft) -> str:
    """Make the commit and let `branch`, now at `tip`, point to it; the commit's id."""
    _require_free(root, branch)
    if tip is not None:
        if draft.tree == _tree(root, tip) and draft.parent == _parent(root, tip):
            return tip
        _require_only(root, draft.author, f"{draft.parent}..{tip}", branch)
    made = git(
        root,
        *("commit-tree", "--no-gpg-sign", draft.tree, "-p", draft.parent),
        stdin=draft.message.encode(),
        env=_identity(draft.author, draft.at),
    )
    sha = made.decode().strip()
    git(root, "update-ref", f"refs/heads/{branch}", sha, tip or "0" * len(sha))
    return sha


def with_trailers(message: str, trailers: Mapping[str, str]) -> str:
    """The message with one `Name: value` line per trailer at its end."""
    lines = [f"{name}: {' '.join(value.split())}" for name, value in trailers.items()]
    return "\n\n".join(part for part in (message.strip(), "\n".join(lines)) if part) + "\n"


def _require_free(root: Path, branch: str) -> None:
    if attempt(root, "check-ref-format", f"refs/heads/{branch}").returncode or branch[:1] == "-":
        raise ConfigError(f"{branch!r} is no valid branch name", hint="choose another prefix")
    listed = git(root, "worktree", "list", "--porcelain").decode(errors="replace")
    if f"branch refs/heads/{branch}" in listed.splitlines():
        raise ConnectorError(
            f"the branch {branch} is checked out in {root}", hint="switch to another branch"
        )


def _require_only(root: Path, author: str, commits: str, branch: str) -> None:
    """All commits were made by us: nobody's work is moved away."""
    name, address = _parsed(author)
    committers = git(root, "log", "--format=%cn <%ce>", commits, "--").decode(errors="replace")
    if set(committers.splitlines()) - {f"{name} <{address}>"}:
        raise ConnectorError(
            f"the branch {branch} holds commits of other people",
            hint="rename or delete the branch, then try again",
        )


def _inside(prefix: str, path: str) -> str:
    joined = PurePosixPath(prefix, path)
    if joined.is_absolute() or {"..", ".git"} & set(joined.parts) or "\0" in path or not path:
        raise ConfigError(
            f"the path {path!r} leaves the dbt project", hint="give it relative to the project"
        )
    return joined.as_posix()


def _identity(author: str, at: datetime) -> dict[str, str]:
    name, address = _parsed(author)
    when = f"{int(at.astimezone(UTC).timestamp())} +0000"
    identity: dict[str, str] = {}
    for role in ("AUTHOR", "COMMITTER"):
        identity |= {
            f"GIT_{role}_NAME": name,
            f"GIT_{role}_EMAIL": address,
            f"GIT_{role}_DATE": when,
        }
    return identity


def _parsed(author: str) -> tuple[str, str]:
    match = _AUTHOR.fullmatch(author)
    if match is None:
        raise ConfigError(f"{author!r} is no author", hint="write it as: Name <address>")
    return match[1], match[2]


def _tree(root: Path, sha: str) -> str:
    return git(root, "rev-parse", f"{sha}^{{tree}}").decode().strip()


def _parent(root: Path, sha: str) -> str:
    return attempt(root, "rev-parse", "--verify", "--quiet", f"{sha}^").stdout.decode().strip()
