"""`GitRepository`: the history of the customer's code, and commits beside their checkout."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from dagster_agent.errors import ConnectorError
from dagster_agent.git import commit, remote
from dagster_agent.git.command import attempt, failure, git
from dagster_agent.model import FileEdit

_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_COMMIT_FORMAT = "%x01%H%x00%ct%x00%an%x00%s%x00"
_COMMIT_START = re.compile(r"\x01([0-9a-f]{40}|[0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit. Its texts were written by people and are untrusted."""

    sha: str
    """Full object id."""
    at: datetime
    """UTC; when it was committed (rebased, merged), not when it was authored."""
    author: str
    """Author's name."""
    subject: str
    """First line of the message."""
    files: tuple[str, ...] = ()
    """Those it changed of the paths that were asked for, as they were named then; all of its
    files when none was asked for; none for a merge."""


class GitRepository:
    """A repository with a work tree. Reading never takes its locks or runs its hooks.

    Paths are POSIX, relative to `root`. Errors of all methods: ConfigError (no git program, a bad
    name), ConnectorError (git failed, an unknown revision).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        """Absolute top folder of the work tree, symbolic links resolved."""

    @classmethod
    def discover(cls, path: Path) -> GitRepository | None:
        """The repository that holds `path`; None where there is none.

        Raises:
            ConfigError: There is a repository but no git program.
            ConnectorError: git refuses it, for instance because it belongs to another user.
        """
        start = path.resolve()
        if not any((folder / ".git").exists() for folder in (start, *start.parents)):
            return None
        folder = start if start.is_dir() else start.parent
        found = attempt(folder, "rev-parse", "--show-toplevel")
        if found.returncode != 0:
            if b"not a git repository" in found.stderr or b"work tree" in found.stderr:
                return None
            raise failure(folder, ("rev-parse",), found.stderr)
        return cls(Path(found.stdout.decode(errors="surrogateescape").rstrip("\n")))

    # history ---------------------------------------------------------------------------------
    def head(self) -> str | None:
        """The checked-out commit; None in an empty repository."""
        return self.resolve("HEAD")

    def branch(self) -> str | None:
        """The checked-out branch; None when HEAD is detached."""
        found = attempt(self.root, "symbolic-ref", "--quiet", "--short", "HEAD")
        return found.stdout.decode().strip() or None

    def is_shallow(self) -> bool:
        """Whether older history was left out when it was cloned."""
        return git(self.root, "rev-parse", "--is-shallow-repository").strip() == b"true"

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag or abbreviated id means; None for an unknown one."""
        if _OBJECT_ID.fullmatch(revision):
            return revision
        operand = f"{revision}^{{commit}}"
        found = attempt(self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", operand)
        words = found.stdout.decode().split()
        return words[-1] if found.returncode == 0 and words else None

    def log(
        self, paths: Sequence[str], *, limit: int, since: datetime | None = None
    ) -> tuple[Commit, ...]:
        """Commits that touched any of the paths, newest first; all commits without paths.

        Args:
            paths: Files or folders. A single file is followed through renames, and each commit's
                `files` then holds the one name it had in that commit.
            limit: Largest number of commits.
            since: Leaves out commits older than this.

        Returns:
            Empty for an empty repository.
        """
        head = self.head()
        if head is None:
            return ()
        options = [f"--max-count={limit}", f"--format=tformat:{_COMMIT_FORMAT}", "-z"]
        if since is not None:
            options.append(f"--since={since.astimezone(UTC).isoformat()}")
        if len(paths) == 1 and not (self.root / paths[0]).is_dir():
            options.append("--follow")
        out = git(self.root, "log", "--name-only", *options, head, "--", *paths)
        return tuple(_commits(out.decode(errors="replace")))

    def file_at(self, sha: str, path: str) -> str | None:
        """A file's text in a commit; None when no regular file is there.

        Bytes that are no UTF-8 are replaced.
        """
        content = commit.blob(self.root, self._known(sha), path)
        return None if content is None else content.data.decode(errors="replace")

    def diff(self, sha: str, path: str) -> str:
        """The unified diff of one file that a commit made against its first parent."""
        out = git(
            self.root,
            *("show", "--format=", "--no-ext-diff", "--no-textconv", "--diff-merges=first-parent"),
            *(self._known(sha), "--", path),
        )
        return out.decode(errors="replace")

    def dirty(self, paths: Sequence[str] = ()) -> tuple[str, ...]:
        """Changed, staged and untracked files below the paths, sorted."""
        out = git(
            self.root,
            *("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"),
            *("--", *paths),
        )
        entries = out.decode(errors="surrogateescape").split("\0")
        return tuple(sorted(entry[3:] for entry in entries if entry))

    # commits and remotes ---------------------------------------------------------------------
    def changed_since(self, revision: str) -> tuple[str, ...]:
        """Files that differ from a revision, uncommitted and new ones included; sorted.

        Raises:
            ConfigError: The revision is unknown.
        """
        known = self._known(revision)
        changed = git(self.root, "diff", "--name-only", "-z", known, "--").decode()
        new = git(self.root, "ls-files", "--others", "--exclude-standard", "-z").decode()
        return tuple(sorted({name for name in (changed + new).split("\0") if name}))

    def commit_edits(
        self,
        *,
        branch: str,
        base: str,
        edits: Sequence[FileEdit],
        prefix: str,
        message: str,
        author: str,
        at: datetime,
        trailers: Mapping[str, str] | None = None,
    ) -> str:
        """Commit edits on a branch of their own, beside the customer's checkout.

        Checkout, index and checked-out branch stay untouched, however dirty they are. Doing it
        twice gives one commit; a branch that holds only commits of `author` is moved.

        Args:
            branch: Branch to create or move.
            base: Revision to stand on.
            edits: Files before and after, relative to `prefix`.
            prefix: Folder of the dbt project in the repository, empty at the root.
            message: Commit message.
            author: `Name <address>`, author and committer.
            at: Time of the commit.
            trailers: Lines `Name: value` at the end of the message.

        Raises:
            ConfigError: A bad branch name, path or author.
            ConnectorError: A file at `base` is not as in `edit.before`, nothing would change, or
                the branch is checked out or holds somebody else's commits.
        """
        parent = self._known(base)
        tree = commit.write_tree(self.root, parent, edits, prefix)
        text = commit.with_trailers(message, trailers or {})
        made = commit.Draft(tree=tree, parent=parent, message=text, author=author, at=at)
        tip = self.resolve(f"refs/heads/{branch}")
        return commit.commit_on(self.root, branch, tip, made)

    def remote_url(self, name: str = "origin") -> str | None:
        """The remote's URL; None when there is no such remote. May hold credentials."""
        return remote.url(self.root, name)

    def default_branch(self, name: str = "origin") -> str | None:
        """The remote's default branch; None without a remote or when nobody knows."""
        return remote.default_branch(self.root, name)

    def push(self, branch: str, remote_name: str = "origin") -> None:
        """Push a local branch under its own name.

        Raises:
            ConfigError: It is the remote's default branch, or there is no such remote.
            ConnectorError: The remote refused, is unreachable, or holds somebody else's commits.
        """
        remote.push(self.root, branch, remote_name)

    def delete_remote_branch(self, branch: str, remote_name: str = "origin") -> None:
        """Delete a branch on the remote; nothing happens when it is not there.

        Raises:
            ConfigError: It is the remote's default branch, or there is no such remote.
        """
        remote.delete_branch(self.root, branch, remote_name)

    def _known(self, revision: str) -> str:
        sha = self.resolve(revision)
        if sha is None:
            raise ConnectorError(
                f"there is no revision {revision!r} in {self.root}",
                hint="fetch it, or name one that is there",
            )
        return sha


def _commits(out: str) -> Iterator[Commit]:
    tokens = out.split("\0")
    starts = [index for index, token in enumerate(tokens) if _COMMIT_START.fullmatch(token)]
    for start, end in pairwise([*starts, len(tokens)]):
        sha, seconds, author, subject = tokens[start : start + 4]
        files = (token.removeprefix("\n") for token in tokens[start + 4 : end])
        yield Commit(
            sha=sha[1:],
            at=datetime.fromtimestamp(int(seconds), tz=UTC),
            author=author,
            subject=subject,
            files=tuple(file for file in files if file),
        )
