"""What a commit did to a file."""

from __future__ import annotations

import re

from pydantic import Field

from dagster_agent.investigation.specialists.project_files import readable_path
from dagster_agent.investigation.specialists.tool import (
    Bench,
    ToolArguments,
    ToolError,
    ToolOutput,
    tool,
)

_SHA = re.compile(r"[0-9a-f]{7,64}")


class GitDiff(ToolArguments):
    """Of which commit and file."""

    sha: str = Field(description="Commit id, as git_log gives it.")
    path: str = Field(description="File of the dbt project, relative to it: `models/a.sql`.")


@tool(id="git-diff", arguments=GitDiff, evidence="timeline")
def git_diff(arguments: GitDiff, bench: Bench) -> ToolOutput:
    """Show what one commit changed in one file of the dbt project, as a unified diff."""
    codebase = bench.codebase
    if codebase.repository is None:
        raise ToolError("the dbt project is not in a git repository", hint="go on without history")
    if not _SHA.fullmatch(arguments.sha):
        raise ToolError(f"{arguments.sha[:80]!r} is no commit id", hint="take it from git_log")
    path = readable_path(arguments.path)
    diff = codebase.repository.diff(arguments.sha, codebase.path_in_repository(path))
    if not diff:
        raise ToolError(f"{arguments.sha[:7]} did not touch {path}", hint="take both from git_log")
    changed = [line for line in diff.splitlines() if re.match(r"[+-](?![+-]{2} )", line)]
    return ToolOutput(
        data={"sha": arguments.sha, "path": path, "diff": diff},
        summary=f"{len(changed)} lines of {path} in {arguments.sha[:7]}",
    )
