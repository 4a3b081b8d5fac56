"""The code of a model."""

from __future__ import annotations

from pydantic import Field

from dagster_agent.investigation.specialists.project_files import yml_files_of
from dagster_agent.investigation.specialists.tool import Bench, ToolArguments, ToolOutput, tool


class ReadModel(ToolArguments):
    """Which model."""

    name: str = Field(description="dbt name or unique id of a model, seed, snapshot or source.")


@tool(id="read-model", arguments=ReadModel)
def read_model(arguments: ReadModel, bench: Bench) -> ToolOutput:
    """Read a dbt asset's code: its file as it is on disk (the text that propose_change edits), the
    SQL that dbt compiled from it, and the yml that describes it. Use it before you say anything
    about a model's logic, and before you propose an edit.
    """
    asset = bench.asset(arguments.name)
    text = bench.codebase.text(asset.path) if asset.path.endswith((".sql", ".py")) else None
    described = dict(yml_files_of(bench.codebase.root, asset.path, asset.name))
    data = {
        "unique_id": asset.unique_id,
        "materialized": asset.materialized,
        "relation": str(asset.relation) if asset.relation else None,
        "path": asset.path,
        "file": text,
        "compiled_sql": bench.manifest.compiled_code(asset.unique_id),
        "yml": described,
        "tests": [test.name for test in bench.manifest.tests_of(asset.unique_id)],
    }
    lines = len((text or "").splitlines())
    return ToolOutput(data=data, summary=f"{asset.name}: {lines} lines of {asset.path}")
