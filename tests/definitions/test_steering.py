"""Steering, stopping and pausing, as a person does it in the Dagster UI.

This file is long because steering, stopping and pausing are told on the same held
investigation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterEventType

from dagster_agent.connectors.code_hosts.local import LocalCodeHost
from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.definitions import DataOpsAgent, discover, investigate_job
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.jobs import chain_job
from dagster_agent.definitions.links import (
    decision_config,
    investigation_config,
    pause_config,
    steer_config,
)
from dagster_agent.definitions.stations import Station
from dagster_agent.definitions.steer_jobs import build_steer_job
from dagster_agent.model import (
    DecisionKind,
    FindingStatus,
    IncidentStatus,
    PullRequestDraft,
    PullRequestState,
)
from dagster_agent.ports import StateStore
from dagster_agent.response import steering
from dagster_agent.settings import Settings

from .conftest import Project, Run, a_finding, an_incident, build_everything

DefinitionsOf = Callable[..., dg.Definitions]
SHOP = {"ui": {"location_name": "shop"}}
INCIDENT = "I-1a2b3c"


@pytest.fixture
def defs(definitions_of: DefinitionsOf) -> dg.Definitions:
    return DataOpsAgent(SHOP).attach(definitions_of(build_everything))


def failure_of(instance: dg.DagsterInstance, run_id: str) -> tuple[str, str]:
    """Message and next step of the failed op, as the run's page shows them."""
    (event,) = event_log.events(instance, run_id, DagsterEventType.STEP_FAILURE)
    told = event.step_failure_data.user_failure_data
    assert told is not None
    return told.description or "", str(told.metadata["next_step"].value)


def log_lines(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    voices = ("[agent]", "[human]")
    return [e.user_message for e in instance.all_logs(run_id) if e.user_message.startswith(voices)]


def inboxes(instance: dg.DagsterInstance) -> list[dict[str, Any]]:
    """Metadata of every inbox that was published, oldest first."""
    found = instance.fetch_materializations(dg.AssetKey(["agent", "inbox"]), limit=20).records
    return [
        {label: value.value for label, value in record.asset_materialization.metadata.items()}
        for record in reversed(found)
        if record.asset_materialization is not None
    ]


def said(message: str, to: str, by: str = "Mara") -> dict[str, Any]:
    config = steer_config(to)
    config["ops"]["steer"]["config"] |= {"message": message, "by": by}
    return config


@dataclass
class Desk:
    """Where a person investigates the known incident and speaks to it."""

    blueprint: Blueprint
    instance: dg.DagsterInstance

    def investigate(self, meanwhile: Callable[[Station], None]) -> dg.ExecuteInProcessResult:
        """Two steps after the first; each listens once `meanwhile` has happened."""

        def listen(opened: Station) -> None:
            meanwhile(opened)
            heard = steering.heard(opened.workspace, opened.investigation_id, opened.narrator)
            opened.narrator.step("go on", why="nobody said stop", result=f"{len(heard)} hints")

        job = chain_job(
            "agent_investigate",
            description="",
            kind="investigate",
            ops={
                "collect": investigate_job._collect_op(self.blueprint),
                "diagnose": investigate_job._op(self.blueprint, "diagnose", "", listen),
                "prove": investigate_job._op(self.blueprint, "prove", "", listen),
            },
        )
        config = investigation_config(incident_id=INCIDENT)
        return job.execute_in_process(config, instance=self.instance, raise_on_error=False)

    def say(self, message: str, to: str) -> dg.ExecuteInProcessResult:
        """Launch `agent_steer`."""
        job = build_steer_job(self.blueprint)
        return job.execute_in_process(
            said(message, to), instance=self.instance, raise_on_error=False
        )


@pytest.fixture
def desk(
    definitions_of: DefinitionsOf,
    instance: dg.DagsterInstance,
    project: Project,
    store: StateStore,
) -> Desk:
    project.build_tables()
    store.save_incident(an_incident(title="[free](http://x) *rows* lost"))
    found = discover(definitions_of(build_everything))
    return Desk(Blueprint.of(found, Settings.parse(SHOP)), instance)


def test_a_message_reaches_a_running_investigation_before_its_next_step(
    desk: Desk, instance: dg.DagsterInstance, store: StateStore
) -> None:
    asked: list[str] = []

    def mara(opened: Station) -> None:
        if not asked:
            # the UI shows eight signs of a run's id, and people copy those
            asked.append(opened.run_id)
            done = desk.say("look at the ERP load", opened.run_id[:8])
            assert done.success
            assert opened.investigation_id in log_lines(instance, done.run_id)[-1]

    done = desk.investigate(mara)
    assert done.success
    lines = log_lines(instance, done.run_id)
    assert lines[0].startswith("[agent] listen to you · why: ")
    assert "/locations/shop/jobs/agent_steer/playground/setup?" in lines[0]
    assert done.run_id in lines[0]
    (human,) = [line for line in lines if line.startswith("[human]")]
    assert human.startswith("[human] Mara: look at the ERP load · ")
    assert [line.rpartition(" ")[0][-1] for line in lines if "go on" in line] == ["1", "0"]
    (hint,) = steering.hints(store, INCIDENT)
    assert (hint.message, hint.by) == ("look at the ERP load", "Mara")


def test_while_it_runs_the_inbox_says_so_and_links_to_the_form(
    desk: Desk, instance: dg.DagsterInstance
) -> None:
    done = desk.investigate(lambda _: None)
    shown = inboxes(instance)[0]
    first = str(shown["inbox"]).split("\n")[0]
    assert first.startswith(r"**Being investigated:** \[free\](http")
    assert f"[its run](/runs/{done.run_id})" in first
    assert "[Steer or stop](/locations/shop/jobs/agent_steer/playground/setup?" in first
    assert shown["running_investigations"] == 1
    assert len(str(shown["inbox"])) < 1000


def test_stop_ends_the_run_without_a_failure_and_the_incident_waits(
    desk: Desk, instance: dg.DagsterInstance, store: StateStore
) -> None:

    def mara(_: Station) -> None:
        assert desk.say("Stop.", INCIDENT).success

    done = desk.investigate(mara)
    assert done.success
    skipped = event_log.events(instance, done.run_id, DagsterEventType.STEP_SKIPPED)
    assert [event.step_key for event in skipped] == ["prove"]
    lines = log_lines(instance, done.run_id)
    assert lines[-2].startswith("[human] Mara: Stop. · ")
    assert lines[-1].startswith("[agent] stop the investigation · why: Mara stopped")
    assert not store.leases(now=datetime.now(UTC))
    incident = store.incident(INCIDENT)
    assert incident is not None
    assert incident.status is IncidentStatus.WAITING
    actions = [(record.actor, record.action) for record in store.audit()]
    assert actions == [("Mara", "steer"), ("agent", "give-up-investigation")]
    assert "Being investigated" not in str(inboxes(instance)[-1]["inbox"])


def test_what_cannot_be_steered_is_told_with_what_can(
    desk: Desk, defs: dg.Definitions, instance: dg.DagsterInstance, run: Run, store: StateStore
) -> None:
    nothing, hint = failure_of(instance, desk.say("x", "I-77777").run_id)
    assert nothing == "no investigation of 'I-77777' is running"
    assert "launch agent_investigate with incident_id and hint" in hint
    assert failure_of(instance, desk.say("x", " ").run_id)[0] == "run_id is empty"
    other = run(defs, assets=["fct_orders"]).run_id
    told, _ = failure_of(instance, desk.say("x", other).run_id)
    assert told.startswith(f"run {other!r} is no investigation but ")

    hints: list[str] = []

    def ask(_: Station) -> None:
        hints.append(failure_of(instance, desk.say("x", "I-77777").run_id)[1])

    ended = desk.investigate(ask).run_id
    assert hints[0] == f"running now: {ended} ({INCIDENT})"
    told, _ = failure_of(instance, desk.say("x", ended).run_id)
    assert told == f"run {ended!r} has ended (SUCCESS)"
    assert steering.unheard(store, ended) == ()


def follow_up(instance: dg.DagsterInstance) -> str:
    page = instance.get_latest_materialization_event(dg.AssetKey(["agent", "findings"]))
    assert page is not None
    assert page.asset_materialization is not None
    return str(page.asset_materialization.metadata["follow_up"].value)


def test_a_finding_offers_to_ask_again_and_the_hint_is_kept(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    run: Run,
    project: Project,
    store: StateStore,
) -> None:
    project.write("seeds/raw_orders.csv", "id,customer_id,amount\n1,1,10\n2,1,20\n3,3,30\n")
    model = project.root / "models/fct_orders.sql"
    model.write_text(model.read_text().replace("left join", "inner join"))
    project.build_tables()
    project.sql("delete from fct_orders where name is null")
    config = investigation_config(asset="fct_orders")
    assert run(defs, job="agent_investigate", config=config).success
    (finding,) = store.findings()
    incident = finding.report.incident_id
    offered = follow_up(instance)
    assert offered.startswith("[Ask again with a hint](/locations/shop/jobs/agent_investigate/")
    assert f"incident_id:%20{incident}" in offered
    config = investigation_config(incident_id=incident, hint="the ERP load was late")
    assert run(defs, job="agent_investigate", config=config).success
    assert [hint.message for hint in steering.hints(store, incident)] == ["the ERP load was late"]


def test_of_what_was_healthy_one_asks_again_by_its_asset(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    run: Run,
    project: Project,
    store: StateStore,
) -> None:
    project.build_tables()
    config = investigation_config(asset="fct_orders")
    assert run(defs, job="agent_investigate", config=config).success
    assert "asset:%20model.jaffle.fct_orders" in follow_up(instance)
    config = investigation_config(asset="model.jaffle.fct_orders", hint="look at the join")
    assert run(defs, job="agent_investigate", config=config).success
    incident = store.findings()[0].report.incident_id
    assert [hint.message for hint in steering.hints(store, incident)] == ["look at the join"]


def test_while_paused_nothing_is_written_outside_and_the_inbox_says_why(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    run: Run,
    project: Project,
    store: StateStore,
    tmp_path: Path,
) -> None:
    project.build_tables()
    store.save_incident(an_incident(status=IncidentStatus.WAITING))
    host = LocalCodeHost(Path(instance.root_directory) / "dagster_agent")
    draft = PullRequestDraft(
        title="Keep all orders", body="", branch="agent/x", base="main", head_sha="a" * 40
    )
    store.save_finding(a_finding(pull_request=host.open_pull_request(draft)))
    config = pause_config("PAUSE", by="Mara", reason="[month](http://x) end, password=tr0ub4dor")
    assert run(defs, job="agent_pause", config=config).success
    first = str(inboxes(instance)[-1]["inbox"]).split("\n")[0]
    assert first.startswith("**Paused: nothing is written outside.** paused by Mara at 20")
    assert r"\[month\](http" in first
    assert "tr0ub4dor" not in first
    assert "[Resume](/locations/shop/jobs/agent_pause/playground/setup?" in first

    approve = decision_config("F-3abd25", DecisionKind.APPROVE, decided_by="Ada")
    told, hint = failure_of(instance, run(defs, job="agent_decide", config=approve).run_id)
    assert "mark-pull-request-ready on I-1a2b3c refused: paused by Mara" in told
    assert hint == "resume the agent, then try again"
    request = host.find_pull_request("agent/x")
    assert request is not None
    assert request.state is PullRequestState.DRAFT
    finding = store.finding("F-3abd25")
    assert finding is not None
    assert finding.status is FindingStatus.OPEN
    accept = {"ops": {"accept": {"config": {"asset": "fct_orders", "decided_by": "Ada"}}}}
    assert not run(defs, job="agent_accept_schema", config=accept).success

    assert run(defs, job="agent_pause", config=pause_config("RESUME", by="Mara")).success
    assert "Paused" not in str(inboxes(instance)[-1]["inbox"])
    assert run(defs, job="agent_decide", config=approve).success
    request = host.find_pull_request("agent/x")
    assert request is not None
    assert request.state is PullRequestState.OPEN
    switched = [r.action for r in store.audit() if r.action in ("pause", "resume")]
    assert switched == ["pause", "resume"]


def test_a_pause_works_while_the_project_is_broken(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    run: Run,
    project: Project,
    store: StateStore,
) -> None:
    from dagster_agent.autonomy.pause import paused

    project.write("profiles.yml", "jaffle: [")
    done = run(defs, job="agent_pause", config=pause_config("PAUSE"))
    assert done.success
    assert "someone at the Dagster UI" in (paused(store) or "")
    assert any("inbox could not be refreshed" in line for line in log_lines(instance, done.run_id))


def test_a_pause_in_the_settings_is_shown_too(
    definitions_of: DefinitionsOf, instance: dg.DagsterInstance, run: Run
) -> None:
    settings = {**SHOP, "autonomy": {"paused": True}}
    defs = DataOpsAgent(settings).attach(definitions_of(build_everything))
    assert run(defs, job="agent_pause", config=pause_config("RESUME")).success
    assert "Paused in the settings" in str(inboxes(instance)[-1]["inbox"])


def test_the_forms_explain_themselves(defs: dg.Definitions) -> None:
    for job, op, fields in (
        ("agent_steer", "steer", {"run_id", "message", "by"}),
        ("agent_pause", "pause", {"switch", "by", "reason"}),
    ):
        node = defs.resolve_job_def(job).graph.node_named(op)
        found = node.definition.config_schema.config_type.fields
        assert set(found) == fields
        assert all(field.description for field in found.values())
    pause = defs.resolve_job_def("agent_pause").graph.node_named("pause").definition
    switch = pause.config_schema.config_type.fields["switch"].config_type
    assert sorted(value.config_value for value in switch.enum_values) == ["PAUSE", "RESUME"]
