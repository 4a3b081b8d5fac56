"""Whatever is wrong with what is compared: the check says precisely what, and is never green by it.

Each case goes through a code location: one run of the agent's checks, then a look at each result.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster_dbt import DbtProject, dbt_assets

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.definitions import DataOpsAgent
from tests.integration.bad_input_cases import CASES, FILES, OTHERS
from tests.integration.broken_shop import growing, served, write_project
from tests.postgres_server import Postgres

Results = Mapping[tuple[str, str], dg.AssetCheckEvaluation]
"""What each check said, by case and engine."""


@pytest.fixture(scope="module")
def results(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What the check `agent_reconciliation` says of each case, from one run of all."""
    root = tmp_path_factory.mktemp("shop")
    wide = [
        {"id": i, **{f"c{n}": i + n + (i == 2 and n == 7) for n in range(1_998)}} for i in range(3)
    ]
    for name, text in {**FILES, "json_wide.json": json.dumps(wide)}.items():
        (root / name).write_text(text)
    with ExitStack() as stack:
        address = stack.enter_context(served())
        write_project(root, CASES, _targets(postgres_server), address)
        stack.enter_context(growing(root / "csv_grows.csv"))
        # in memory: files of events would take a tenth of the time
        return _run(root, stack.enter_context(dg.DagsterInstance.ephemeral()))


def _targets(server: Postgres) -> Mapping[str, Any]:
    """Targets in PostgreSQL: one that works, one without grants, one without a server."""
    name = server.create("ledger_of_bad_input")
    for case, given in CASES.items():
        if given.post is not None:
            server.sql(f"create table their_{case} as {given.post}", name)
    server.sql("create role stranger login password 'hunter2-hidden'", name)
    target = server.target(name)
    return {
        "ledger": target,
        "stranger": {**target, "user": "stranger"},
        "nobody": {**target, "port": 1},
    }


def _run(root: Path, instance: dg.DagsterInstance) -> Results:
    project = DbtProject(project_dir=root, profiles_dir=root)

    @dbt_assets(manifest=project.manifest_path, project=project)
    def shop(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from ()

    defs = DataOpsAgent({"state": {"directory": str(root / "state")}}).attach(
        dg.Definitions(assets=[shop])
    )
    wanted = [*((name, "reconciliation") for name in CASES), *OTHERS]
    keys = {dg.AssetCheckKey(dg.AssetKey(name), f"agent_{engine}") for name, engine in wanted}
    job = defs.resolve_job_def("agent_checks").get_subset(asset_check_selection=keys)
    done = job.execute_in_process(instance=instance, raise_on_error=False)
    assert done.success
    logged = [entry.user_message for entry in instance.all_logs(done.run_id)]
    assert not [text for text in logged if "Traceback" in text]
    return {
        (e.asset_key.to_user_string(), e.check_name.removeprefix("agent_")): e
        for e in event_log.evaluations(instance, done.run_id)
    }


@pytest.mark.parametrize("name", CASES)
def test_the_check_says_what_is_wrong(results: Results, name: str) -> None:
    case = CASES[name]
    _judge(results[name, "reconciliation"], case.status, case.says)


@pytest.mark.parametrize(("name", "engine"), OTHERS)
def test_the_other_checks_say_what_is_wrong(results: Results, name: str, engine: str) -> None:
    _judge(results[name, engine], *OTHERS[name, engine])


def _judge(found: dg.AssetCheckEvaluation, status: str, says: str) -> None:
    told = f"{found.metadata['dagster_agent/status'].value}: {found.description}\n{_listed(found)}"
    assert found.metadata["dagster_agent/status"].value == status, told
    assert found.passed is (status in ("passed", "untrained"))
    assert re.search(says, told), told
    assert "hunter2" not in str(found.metadata)


def _listed(found: dg.AssetCheckEvaluation) -> str:
    """What every method said."""
    table = found.metadata.get("results")
    assert table is None or isinstance(table, dg.TableMetadataValue)
    return "\n".join(str(record.data["what"]) for record in (table.records if table else ()))
