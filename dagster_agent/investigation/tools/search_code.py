"""Where a text stands in the project's code."""

from __future__ import annotations

from pydantic import Field

from dagster_agent.investigation.specialists.project_files import code_files
from dagster_agent.investigation.specialists.tool import Bench, ToolArguments, ToolOutput, tool

_MOST = 40


class SearchCode(ToolArguments):
    """For what."""

    text: str = Field(
        min_length=3, max_length=100, description="Plain text, letter case ignored; no pattern."
    )


@tool(id="search-code", arguments=SearchCode)
def search_code(arguments: SearchCode, bench: Bench) -> ToolOutput:
    """Find a plain text (a column, a table, a macro) in the project's SQL and yml files, macros and
    tests included: file, line number and line, at most 40. Use it to see who reads a column.
    """
    wanted = arguments.text.casefold()
    found: list[dict[str, object]] = []
    files: set[str] = set()
    count = 0
    for path, file in code_files(bench.codebase.root):
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            if wanted not in line.casefold():
                continue
            count += 1
            files.add(path)
            if len(found) < _MOST:
                found.append({"path": path, "line": number, "text": line.strip()[:240]})
    data = {"found": found, "left_out": count - len(found)}
    return ToolOutput(data=data, summary=f"{count} lines in {len(files)} files")
