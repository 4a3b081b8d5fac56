"""From a failing anomaly check to "this is expected", as a person clicks it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dagster as dg
import pytest
import yaml
from dagster import DagsterEventType

from dagster_agent.connectors.orchestrators import dagster_event_log as event_log
from dagster_agent.definitions import DataOpsAgent
from dagster_agent.definitions.expected_links import expected_links
from dagster_agent.definitions.links import Place, expected_config
from dagster_agent.definitions.names import Names
from dagster_agent.model import Detection, DetectionStatus, MetricPoint
from dagster_agent.ports import StateStore
from dagster_agent.testing.memory_store import MemoryStore

from .conftest import Project, Run, build_everything

DefinitionsOf = Callable[..., dg.Definitions]
FCT, UID = dg.AssetKey("fct_orders"), "model.jaffle.fct_orders"
ANOMALY = [dg.AssetCheckKey(FCT, "agent_anomaly")]
NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
HERE, NAMES = Place(location="shop"), Names("agent")


@pytest.fixture
def defs(definitions_of: DefinitionsOf) -> dg.Definitions:
    return DataOpsAgent({"ui": {"location_name": "shop"}}).attach(definitions_of(build_everything))


def evaluation(instance: dg.DagsterInstance, run_id: str) -> dg.AssetCheckEvaluation:
    (found,) = event_log.evaluations(instance, run_id)
    return found


def filled_in(link: str) -> Any:
    """Title and run config of a link."""
    title, _, address = link[1:].removesuffix(")").partition("](")
    return title, yaml.safe_load(parse_qs(urlsplit(address).query)["config"][0])


def failed(metric: str, at: datetime = NOW) -> Detection:
    return Detection(
        detector=f"anomaly/robust-level/{metric}",
        asset=UID,
        status=DetectionStatus.FAILED,
        headline=f"{metric} rose",
        observed_at=at,
    )


def test_an_unusual_value_that_a_person_calls_expected_is_ordinary_from_then_on(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    run: Run,
    project: Project,
    store: StateStore,
) -> None:
    project.build_tables()
    now = datetime.now(UTC)
    past = [now - timedelta(days=days) for days in range(40, 0, -1)]
    store.add_metrics([MetricPoint(asset=UID, metric="row_count", value=3, at=at) for at in past])
    project.sql("insert into fct_orders select i, 10, 'ada' from range(10, 2000) t(i)")
    red = evaluation(instance, run(defs, checks=ANOMALY).run_id)
    assert not red.passed
    title, config = filled_in(str(red.metadata["expected"].value))
    assert title == "This is expected"
    judged = store.metric_history(UID, "row_count")[-1]
    assert (judged.value, judged.at >= now) == (1993, True)
    assert config == expected_config("fct_orders", "row_count", judged.at)

    config["ops"]["mark"]["config"] |= {"decided_by": "Ada", "comment": "the new shop"}
    done = run(defs, job="agent_expected", config=config)
    assert done.success, event_log.failed_steps(instance, done.run_id)
    after = evaluation(instance, done.run_id)
    assert after.passed, after.description
    event = instance.get_latest_materialization_event(dg.AssetKey(["agent", "decisions"]))
    record = event.asset_materialization if event else None
    assert record is not None
    assert record.description == (
        f"row_count of fct_orders at {judged.at:%Y-%m-%d %H:%M} UTC is expected"
    )
    assert record.metadata["decided_by"].value == "Ada"
    assert record.metadata["comment"].value == "the new shop"
    intent, _ = store.audit()
    assert (intent.action, intent.subject, intent.allowed) == ("mark-expected", UID, True)
    assert evaluation(instance, run(defs, checks=ANOMALY).run_id).passed


def test_what_cannot_be_meant_is_told_in_words(
    defs: dg.Definitions, instance: dg.DagsterInstance, run: Run
) -> None:
    for at, words in (("yesterday", "'yesterday' is no moment"), ("2026-11-20", "no point of")):
        config = {"asset": "fct_orders", "metric": "row_count", "at": at}
        done = run(defs, job="agent_expected", config={"ops": {"mark": {"config": config}}})
        (event,) = event_log.events(instance, done.run_id, DagsterEventType.STEP_FAILURE)
        told = event.step_failure_data.user_failure_data
        assert told is not None
        assert words in (told.description or "")


def test_each_metric_that_leads_has_its_link_and_its_own_time() -> None:
    store = MemoryStore()
    day = datetime(2026, 11, 20, tzinfo=UTC)
    named = ("row_count", "daily.null_share.country", "mean.amount", "zero_share.amount")
    moments = (NOW, day, NOW, NOW)
    store.add_metrics(
        [
            MetricPoint(asset=UID, metric=m, value=1, at=at)
            for m, at in zip(named, moments, strict=True)
        ]
        + [MetricPoint(asset=UID, metric="row_count", value=1, at=NOW + timedelta(hours=1))]
    )
    summary = Detection(
        detector="anomaly",
        asset=UID,
        status=DetectionStatus.FAILED,
        headline="3 of 9 metrics unusual",
        observed_at=NOW,
    )
    found = [summary, *(failed(m) for m in named), failed("never_seen")]
    links = expected_links(found, "a/fct_orders", store, HERE, NAMES)
    assert len(links) < 1000  # from there on the UI hides a text behind a click
    assert [filled_in(link) for link in links.split(" · ")] == [
        (f"{metric} is expected", expected_config("a/fct_orders", metric, at))
        for metric, at in list(zip(named, moments, strict=True))[:3]
    ]
    by_hand = expected_links([failed("row_count")], "a/b", store, Place(location=None), NAMES)
    assert "`agent_expected` with `asset: a/b`, `metric: row_count` and `at: 2026-11-21T" in by_hand
    assert "](" not in by_hand
