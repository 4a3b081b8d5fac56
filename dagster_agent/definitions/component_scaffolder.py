"""What `dg scaffold defs dagster_agent.DataOpsAgentComponent` writes."""

from __future__ import annotations

from dagster.components import Scaffolder, ScaffoldRequest
from dagster.components.component_scaffolding import scaffold_component

_ATTRIBUTES = """
attributes:
  # embedded: the checks live beside your dbt assets. own_location: this project holds nothing but
  # the agent, none of its checks is planned in your runs, and project_dir names the dbt project.
  placement: embedded

  # All else is optional; take away the first # of a line to change what teams change most. Every
  # attribute with its default: docs/settings.md.

  # Folders of the dbt components to watch, below `defs`. By default every DbtProjectComponent.
  #dbt: [transformation]

  # Asset keys that are left alone.
  #exclude: [raw/uploads, scratch]

  # How soon a failure is known.
  #sensor: {interval_seconds: 30}

  # What may be done without asking: do, do-and-notify, propose-and-wait, alert-only.
  #autonomy: {tiers: {open-pull-request: propose-and-wait}}

  # Where the agent remembers. By default a SQLite file below DAGSTER_HOME.
  #state: {url: "{{ env.DAGSTER_AGENT_STATE_URL }}"}
"""


class DataOpsAgentScaffolder(Scaffolder):
    """Writes a `defs.yaml` that works as it is and shows what can be changed."""

    def scaffold(self, request: ScaffoldRequest) -> None:
        """Write `defs.yaml`, or `component.py` where Python is asked for."""
        if request.scaffold_format != "yaml":
            scaffold_component(request)
            return
        text = f"type: {request.type_name}\n{_ATTRIBUTES}"
        if request.append:
            # the target is the file then
            with request.target_path.open("a", encoding="utf-8") as file:
                file.write(f"---\n{text}")
        else:
            (request.target_path / "defs.yaml").write_text(text, encoding="utf-8")
