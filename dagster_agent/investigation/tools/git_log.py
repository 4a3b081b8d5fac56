"""Who changed a file, and when."""

from __future__ import annotations

from pydantic import Field

from dagster_agent.investigation.specialists.project_files import readable_path
from dagster_agent.investigation.specialists.tool import (
    Bench,
    ToolArguments,
    ToolError,
    ToolOutput,
    tool,
)


class GitLog(ToolArguments):
    """Of which file."""

    path: str = Field(description="File of the dbt project, relative to it: `models/a.sql`.")


@tool(id="git-log", arguments=GitLog, evidence="timeline")
def git_log(arguments: GitLog, bench: Bench) -> ToolOutput:
    """List the newest commits that touched one file of the dbt project: id, time, author, subject.
    Use it to find what changed since things were last right; git_diff shows what a commit did.
    """
    codebase = bench.codebase
    if codebase.repository is None:
        raise ToolError("the dbt project is not in a git repository", hint="go on without history")
    path = readable_path(arguments.path)
    name = codebase.path_in_repository(path)
    commits = codebase.repository.log([name], limit=codebase.max_commits)
    data = [
        {"sha": c.sha, "at": c.at.isoformat(), "author": c.author, "subject": c.subject[:200]}
        for c in commits
    ]
    return ToolOutput(data=data, summary=f"{len(commits)} commits touched {path}")
