"""Runs git: argument lists only, no prompts, no hooks, no pager, and errors that say what to do."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from dagster_agent.errors import ConfigError, ConnectorError

LOCAL_SECONDS = 120
NETWORK_SECONDS = 120

_SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "color.ui=false",
    "gc.auto=0",
    "log.showSignature=false",
    "push.followTags=false",
    "push.gpgSign=false",
    "push.recurseSubmodules=no",
)
_REDIRECTIONS = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_EXTERNAL_DIFF",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    }
)
"""Set while a hook or an alias runs us; they would point git at another repository."""
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_TRANSIENT = re.compile(
    r"could not resolve|timed out|connection (refused|reset)|unable to access", re.I
)


def git(
    root: Path,
    *args: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    seconds: float = LOCAL_SECONDS,
) -> bytes:
    """Standard output of a git command.

    Args:
        root: Folder to run in.
        args: Subcommand, options and operands; names from outside stand after `--`, or were
            resolved to object ids before.
        stdin: What it reads.
        env: Added to the environment.
        seconds: Longest time it may take.

    Raises:
        ConfigError: There is no git program.
        ConnectorError: git failed; with its own words, credentials in URLs left out.
    """
    done = attempt(root, *args, stdin=stdin, env=env, seconds=seconds)
    if done.returncode != 0:
        raise failure(root, args, done.stderr)
    return done.stdout


def attempt(
    root: Path,
    *args: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    seconds: float = LOCAL_SECONDS,
) -> subprocess.CompletedProcess[bytes]:
    """Like `git`, for commands whose exit code is an answer."""
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    command = ["git", "--no-pager", "--literal-pathspecs", *settings, *args]
    try:
        return subprocess.run(
            command,
            cwd=root,
            env={**_environment(), **(env or {})},
            input=stdin,
            capture_output=True,
            check=False,
            timeout=seconds,
        )
    except FileNotFoundError:
        if not root.is_dir():
            raise ConnectorError(f"the folder {root} is gone", hint="clone it again") from None
        raise ConfigError("there is no git program on PATH", hint="install git") from None
    except subprocess.TimeoutExpired:
        raise ConnectorError(
            f"git {args[0]} in {root} did not end within {seconds:g} seconds",
            hint="look for a lock file or an unreachable remote",
            retryable=True,
        ) from None


def failure(root: Path, args: Sequence[str], stderr: bytes) -> ConnectorError:
    """git's own words as an error."""
    words = _CREDENTIALS.sub("", stderr.decode(errors="replace").strip())
    hint = "run the command by hand in that folder"
    if "dubious ownership" in words:
        words = "the repository belongs to another user"
        hint = f"trust it with: git config --global --add safe.directory {root}"
    return ConnectorError(
        f"git {args[0]} failed in {root}: {words or 'no message'}",
        hint=hint,
        retryable=_TRANSIENT.search(words) is not None,
    )


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _REDIRECTIONS}
    kept.setdefault("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
    return {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_EDITOR": "true",
        "LC_ALL": "C",
    }
