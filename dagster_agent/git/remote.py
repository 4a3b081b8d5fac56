"""Remotes: their default branch, and pushes that never touch it."""

from __future__ import annotations

from pathlib import Path

from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.git.command import NETWORK_SECONDS, attempt, git

_USUAL_DEFAULTS = frozenset({"main", "master", "trunk", "develop"})
"""Never pushed to while the remote does not say what its default branch is."""


def url(root: Path, remote: str) -> str | None:
    """The remote's URL; None when there is no such remote."""
    if remote not in _names(root):
        return None
    return git(root, "remote", "get-url", remote).decode(errors="replace").strip()


def default_branch(root: Path, remote: str) -> str | None:
    """What the remote says, else what was known when it was cloned, else None."""
    if remote not in _names(root):
        return None
    asked = attempt(root, "ls-remote", "--symref", remote, "HEAD", seconds=NETWORK_SECONDS)
    for line in asked.stdout.decode(errors="replace").splitlines():
        if line.startswith("ref: refs/heads/"):
            return line.split("\t")[0].removeprefix("ref: refs/heads/")
    known = attempt(root, "symbolic-ref", "--quiet", f"refs/remotes/{remote}/HEAD")
    name = known.stdout.decode(errors="replace").strip()
    return name.removeprefix(f"refs/remotes/{remote}/") or None


def push(root: Path, branch: str, remote: str) -> None:
    """Push `branch` under its own name, never the default branch, never over others' commits."""
    _require_allowed(root, branch, remote)
    ref = f"refs/heads/{branch}"
    there = _remote_tip(root, ref, remote)
    here = git(root, "rev-parse", "--verify", "--end-of-options", ref).decode().split()[-1]
    if there == here:
        return
    options: list[str] = []
    if there is not None and not _is_ancestor(root, there, here):
        _require_same_committer(root, there, here, branch, remote)
        options = [f"--force-with-lease={ref}:{there}"]
    git(root, "push", "--no-verify", *options, remote, f"{ref}:{ref}", seconds=NETWORK_SECONDS)


def delete_branch(root: Path, branch: str, remote: str) -> None:
    """Delete `branch` on the remote, if it is there."""
    _require_allowed(root, branch, remote)
    ref = f"refs/heads/{branch}"
    if _remote_tip(root, ref, remote) is not None:
        git(root, "push", "--no-verify", remote, f":{ref}", seconds=NETWORK_SECONDS)


def _names(root: Path) -> list[str]:
    return git(root, "remote").decode(errors="replace").split("\n")[:-1]


def _require_allowed(root: Path, branch: str, remote: str) -> None:
    names = _names(root)
    if remote not in names:
        known = f"known remotes: {', '.join(names)}" if names else "add one with: git remote add"
        raise ConfigError(f"there is no remote {remote!r} in {root}", hint=known)
    if attempt(root, "check-ref-format", f"refs/heads/{branch}").returncode:
        raise ConfigError(f"{branch!r} is no valid branch name", hint="choose another prefix")
    default = default_branch(root, remote)
    if branch == default or (default is None and branch in _USUAL_DEFAULTS):
        raise ConfigError(
            f"{branch!r} is the default branch of {remote}, which is never written to",
            hint="use a branch of its own and a pull request",
        )


def _remote_tip(root: Path, ref: str, remote: str) -> str | None:
    listed = git(root, "ls-remote", remote, ref, seconds=NETWORK_SECONDS).decode(errors="replace")
    tips = (line.split("\t") for line in listed.splitlines())
    return next((sha for sha, name in tips if name == ref), None)


def _is_ancestor(root: Path, older: str, newer: str) -> bool:
    return attempt(root, "merge-base", "--is-ancestor", older, newer).returncode == 0


def _require_same_committer(root: Path, there: str, here: str, branch: str, remote: str) -> None:
    """What would be replaced on the remote are our own earlier commits."""
    replaced = attempt(root, "log", "--format=%cn <%ce>", f"{here}..{there}", "--")
    ours = git(root, "log", "--max-count=1", "--format=%cn <%ce>", here, "--")
    # an unknown commit (exit code not 0) was made elsewhere
    if replaced.returncode != 0 or set(replaced.stdout.splitlines()) - {ours.strip()}:
        raise ConnectorError(
            f"the branch {branch} on {remote} holds commits of other people",
            hint="rename or delete that branch, then try again",
        )
