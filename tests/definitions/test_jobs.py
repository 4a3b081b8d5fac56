"""The jobs as a person launches them, on real tables."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterEventType
from dagster._core.errors import DagsterExecutionInterruptedError

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.definitions import DataOpsAgent, discover, investigate_job
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.jobs import chain_job
from dagster_agent.definitions.links import decision_config, investigation_config
from dagster_agent.definitions.stations import Station
from dagster_agent.model import DecisionKind, FindingStatus, IncidentStatus
from dagster_agent.ports import StateStore
from dagster_agent.settings import Settings

from .conftest import Project, Run, a_finding, an_incident, build_everything

DefinitionsOf = Callable[..., dg.Definitions]
FCT = dg.AssetKey("fct_orders")
NOW = datetime.now(UTC)


@pytest.fixture
def defs(definitions_of: DefinitionsOf) -> dg.Definitions:
    return DataOpsAgent({"ui": {"location_name": "shop"}}).attach(definitions_of(build_everything))


def failure_of(instance: dg.DagsterInstance, run_id: str) -> tuple[str, str]:
    """Message and next step of the failed op, as the run's page shows them."""
    (event,) = event_log.events(instance, run_id, DagsterEventType.STEP_FAILURE)
    told = event.step_failure_data.user_failure_data
    assert told is not None
    return told.description or "", str(told.metadata["next_step"].value)


def log_lines(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [
        e.user_message for e in instance.all_logs(run_id) if e.user_message.startswith("[agent]")
    ]


def latest(instance: dg.DagsterInstance, key: str) -> dg.AssetMaterialization:
    event = instance.get_latest_materialization_event(dg.AssetKey.from_user_string(key))
    assert event is not None
    assert event.asset_materialization is not None
    return event.asset_materialization


def check_state(instance: dg.DagsterInstance, run_id: str, name: str) -> dg.AssetCheckEvaluation:
    (found,) = (e for e in event_log.evaluations(instance, run_id) if e.check_name == name)
    return found


def lose_rows(project: Project) -> None:
    """The careless change: customer 3 is unknown, and the join to customers became an inner one."""
    project.write("seeds/raw_orders.csv", "id,customer_id,amount\n1,1,10\n2,1,20\n3,3,30\n")
    model = project.root / "models/fct_orders.sql"
    model.write_text(model.read_text().replace("left join", "inner join"))
    project.build_tables()
    project.sql("delete from fct_orders where name is null")


def test_an_investigation_by_hand_leaves_a_finding_that_people_see(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    run: Run,
    project: Project,
    store: StateStore,
) -> None:
    lose_rows(project)
    done = run(defs, job="agent_investigate", config=investigation_config(asset="fct_orders"))
    assert done.success, event_log.failed_steps(instance, done.run_id)

    (finding,) = store.findings()
    assert finding.run_id == done.run_id
    assert finding.report.asset == "model.jaffle.fct_orders"
    page = latest(instance, "agent/findings")
    assert page.partition is not None
    assert page.partition.endswith(finding.id)
    assert " fct_orders " in page.partition
    assert instance.get_dynamic_partitions("agent_findings") == [page.partition]
    story = str(page.metadata["finding"].value)
    assert story.startswith("### ")
    choices = str(page.metadata["decide"].value)
    assert choices.startswith("[Approve](/locations/shop/jobs/agent_decide/playground/setup?")
    assert f"[Show the run](/runs/{done.run_id})" in str(page.metadata["follow_up"].value)

    observations = list(event_log.events(instance, done.run_id, DagsterEventType.ASSET_OBSERVATION))
    assert [event.asset_key for event in observations] == [FCT]
    state = check_state(instance, done.run_id, "agent_open_findings")
    assert not state.passed
    assert finding.id in (state.description or "")
    inbox = str(latest(instance, "agent/inbox").metadata["inbox"].value)
    assert "](/assets/agent/findings?view=partitions&partition=" in inbox
    assert finding.id in inbox

    lines = log_lines(instance, done.run_id)
    assert len(lines) >= 5
    assert all(" · why: " in line and " · result: " in line for line in lines)
    assert not store.leases(now=datetime.now(UTC))


@pytest.mark.parametrize(
    ("config", "message", "next_step"),
    [
        ({}, "nothing to investigate", "fill one of them"),
        ({"asset": "fct_order"}, "fct_order", "fct_orders"),
        ({"incident_id": "I-000000"}, "there is no incident 'I-000000'", "latest incidents: none"),
        ({"run_id": "nope"}, "run 'nope' is not known", "copy the id"),
    ],
)
def test_a_wrong_request_is_told_in_words(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    run: Run,
    project: Project,
    config: dict[str, str],
    message: str,
    next_step: str,
) -> None:
    project.build_tables()
    done = run(defs, job="agent_investigate", config=investigation_config(**config))
    assert not done.success
    told, hint = failure_of(instance, done.run_id)
    assert message in told
    assert next_step in hint


def test_an_interrupted_investigation_holds_nothing_and_waits_in_the_inbox(
    definitions_of: DefinitionsOf,
    instance: dg.DagsterInstance,
    project: Project,
    store: StateStore,
) -> None:
    project.build_tables()
    store.save_incident(an_incident())
    defs = definitions_of(build_everything)
    blueprint = Blueprint.of(discover(defs), Settings())
    held: list[str] = []

    def interrupt(opened: Station) -> None:
        held.extend(lease.name for lease in opened.workspace.store.leases(now=opened.now))
        raise DagsterExecutionInterruptedError

    job = chain_job(
        "agent_investigate",
        description="",
        kind="investigate",
        ops={
            "collect": investigate_job._collect_op(blueprint),
            "prove": investigate_job._op(blueprint, "prove", "", interrupt),
        },
    )
    config = investigation_config(incident_id="I-1a2b3c")
    done = job.execute_in_process(config, instance=instance, raise_on_error=False)
    assert not done.success
    assert held == ["incident:I-1a2b3c"]
    assert not store.leases(now=datetime.now(UTC))
    incident = store.incident("I-1a2b3c")
    assert incident is not None
    assert incident.status is IncidentStatus.WAITING
    record = store.audit()[-1]
    assert (record.action, record.detail["run"]) == ("give-up-investigation", done.run_id)
    assert record.detail["reason"] == "the run was terminated"
    assert log_lines(instance, done.run_id)[-1].startswith("[agent] stop the investigation")
    assert latest(instance, "agent/inbox").metadata["open_incidents"].value == 1


def test_a_decision_is_recorded_and_shown(
    defs: dg.Definitions, instance: dg.DagsterInstance, run: Run, store: StateStore
) -> None:
    store.save_incident(an_incident(status=IncidentStatus.WAITING))
    store.save_finding(a_finding())
    config = decision_config("F-3abd25", DecisionKind.SNOOZE, comment="Monday")
    done = run(defs, job="agent_decide", config=config)
    assert done.success
    (decision,) = store.decisions("F-3abd25")
    assert decision.decided_by == "someone at the Dagster UI"
    assert decision.run_id == done.run_id
    snoozed = store.finding("F-3abd25")
    assert snoozed is not None
    assert snoozed.status is FindingStatus.SNOOZED
    state = check_state(instance, done.run_id, "agent_open_findings")
    assert not state.passed
    assert state.severity is dg.AssetCheckSeverity.WARN

    config = decision_config("F-3abd25", DecisionKind.REJECT, decided_by="ada", comment="meant")
    done = run(defs, job="agent_decide", config=config)
    assert done.success
    record = latest(instance, "agent/decisions")
    assert (record.partition or "").endswith("reject F-3abd25")
    assert record.metadata["decided_by"].value == "ada"
    assert record.metadata["comment"].value == "meant"
    assert len(instance.get_dynamic_partitions("agent_decisions")) == 2
    assert check_state(instance, done.run_id, "agent_open_findings").passed
    assert latest(instance, "agent/findings").metadata["status"].value == "rejected"
    observed = event_log.events(instance, done.run_id, DagsterEventType.ASSET_OBSERVATION)
    assert list(observed) == []


def test_a_decision_on_nothing_is_told_in_words(
    defs: dg.Definitions, instance: dg.DagsterInstance, run: Run, store: StateStore
) -> None:
    store.save_finding(a_finding())
    config = decision_config("F-ffffff", DecisionKind.APPROVE)
    told, hint = failure_of(instance, run(defs, job="agent_decide", config=config).run_id)
    assert told == "there is no finding 'F-ffffff'"
    assert "F-3abd25" in hint


def test_the_forms_explain_themselves(defs: dg.Definitions) -> None:
    forms = {"agent_decide": "decide", "agent_accept_schema": "accept", "agent_expected": "mark"}
    for job, op in forms.items():
        node = defs.resolve_job_def(job).graph.node_named(op)
        fields = node.definition.config_schema.config_type.fields
        assert all(field.description for field in fields.values())
    decision = defs.resolve_job_def("agent_decide").graph.node_named("decide").definition
    enum = decision.config_schema.config_type.fields["decision"].config_type
    assert sorted(value.config_value for value in enum.enum_values) == [
        "APPROVE",
        "REJECT",
        "SNOOZE",
    ]


def test_an_accepted_schema_turns_its_check_green_in_the_same_run(
    defs: dg.Definitions, instance: dg.DagsterInstance, run: Run, project: Project
) -> None:
    project.build_tables()
    drift = [dg.AssetCheckKey(FCT, "agent_schema_drift")]
    run(defs, checks=drift)
    project.sql("alter table fct_orders drop column amount")
    red = run(defs, checks=drift)
    assert not check_state(instance, red.run_id, "agent_schema_drift").passed
    config = {"ops": {"accept": {"config": {"asset": "fct_orders", "decided_by": "ada"}}}}
    done = run(defs, job="agent_accept_schema", config=config)
    assert done.success
    assert check_state(instance, done.run_id, "agent_schema_drift").passed
    record = latest(instance, "agent/decisions")
    assert record.description == "accept the schema of fct_orders (2 columns)"
    assert record.metadata["decided_by"].value == "ada"


def test_our_jobs_do_not_open_the_customers_io_manager(
    definitions_of: DefinitionsOf, run: Run, store: StateStore
) -> None:
    @dg.io_manager
    def unreachable(_: dg.InitResourceContext) -> dg.IOManager:
        raise RuntimeError("the lake is down")

    store.save_incident(an_incident(status=IncidentStatus.WAITING))
    store.save_finding(a_finding())
    theirs = definitions_of(build_everything, resources={"io_manager": unreachable})
    defs = DataOpsAgent().attach(theirs)
    config = decision_config("F-3abd25", DecisionKind.REJECT)
    assert run(defs, job="agent_decide", config=config).success


def test_it_works_on_an_instance_in_memory(definitions_of: DefinitionsOf, project: Project) -> None:
    project.build_tables()
    defs = DataOpsAgent().attach(definitions_of(build_everything))

    def body() -> Iterator[Any]:
        with dg.DagsterInstance.ephemeral() as memory:
            yield defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=memory)
            config = investigation_config(question="are the orders of stg_orders complete?")
            job = defs.resolve_job_def("agent_investigate")
            yield job.execute_in_process(config, instance=memory)

    assert [done.success for done in body()] == [True, True]
