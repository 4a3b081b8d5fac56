from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.incidents.grouping import Group, Lineage, group
from dagster_agent.model import Severity, Symptom, SymptomKind

NOW = datetime(2026, 11, 3, 6, 12, tzinfo=UTC)
WINDOW = timedelta(hours=6)
KNOWN = ("raw_orders", "stg_orders", "stg_customers", "fct_orders", "daily_revenue", "stg_flights")


def seen(name: str | None, minutes: float = 0, **changes: object) -> Symptom:
    known = Symptom(
        kind=SymptomKind.CHECK_FAILED,
        headline=f"{name} is wrong",
        observed_at=NOW + timedelta(minutes=minutes),
        asset=name and f"model.shop.{name}",
        check="rows",
        run_id="run-1",
    )
    return dataclasses.replace(known, **changes)


def run_failed(run_id: str | None = "run-1", minutes: float = 0) -> Symptom:
    return seen(None, minutes, kind=SymptomKind.RUN_FAILED, check=None, run_id=run_id)


def grouped(manifest: Manifest, *symptoms: Symptom) -> tuple[Group, ...]:
    return group(symptoms, Lineage(manifest, WINDOW))


def names(groups: tuple[Group, ...]) -> list[tuple[str | None, list[str | None]]]:
    def short(asset: str | None) -> str | None:
        return asset and asset.rsplit(".", 1)[1]

    return [(short(g.asset), [short(s.asset) for s in g.symptoms]) for g in groups]


@st.composite
def symptoms(draw: st.DrawFn) -> list[Symptom]:
    return draw(
        st.lists(
            st.builds(
                seen,
                st.sampled_from((*KNOWN, "vanished", None)),
                st.integers(0, 2000),
                kind=st.sampled_from(SymptomKind),
                check=st.sampled_from(["rows", "keys", None]),
                severity=st.sampled_from(Severity),
                run_id=st.sampled_from(["run-1", "run-2", None]),
                detail=st.sampled_from(["", "Binder Error: x", "why?"]),
            ),
            max_size=12,
        )
    )


@given(batch=symptoms(), seed=st.integers())
def test_order_does_not_matter(manifest: Manifest, batch: list[Symptom], seed: int) -> None:
    shuffled = random.Random(seed).sample(batch, len(batch))  # noqa: S311
    assert grouped(manifest, *shuffled) == grouped(manifest, *batch)


@given(batch=symptoms())
def test_every_symptom_is_in_exactly_one_group(manifest: Manifest, batch: list[Symptom]) -> None:
    groups = grouped(manifest, *batch)
    found = [s for g in groups for s in g.symptoms]
    assert all(s in found for s in batch)
    assert all(found.count(s) == 1 for s in found)
    assert all(g.lead in g.symptoms and g.lead.asset == g.asset for g in groups)


def test_one_story_is_told_from_its_furthest_upstream_asset(manifest: Manifest) -> None:
    groups = grouped(
        manifest, seen("daily_revenue", 20), seen("stg_orders", 5), seen("fct_orders", 10)
    )
    assert names(groups) == [("stg_orders", ["stg_orders", "fct_orders", "daily_revenue"])]
    assert groups[0].lead.headline == "stg_orders is wrong"


def test_an_asset_between_that_looks_healthy_does_not_split_the_story(manifest: Manifest) -> None:
    groups = grouped(manifest, seen("daily_revenue"), seen("raw_orders"))
    assert names(groups) == [("raw_orders", ["daily_revenue", "raw_orders"])]


def test_two_causes_are_two_stories_and_what_both_explain_is_told_once(manifest: Manifest) -> None:
    groups = grouped(
        manifest, seen("stg_orders"), seen("stg_customers"), seen("daily_revenue"), seen(None)
    )
    assert names(groups) == [
        (None, [None]),
        ("stg_customers", ["daily_revenue", "stg_customers"]),
        ("stg_orders", ["stg_orders"]),
    ]


def test_assets_without_lineage_between_them_stay_apart(manifest: Manifest) -> None:
    assert len(grouped(manifest, seen("stg_flights"), seen("stg_orders"), seen("vanished"))) == 3


def test_what_was_seen_outside_the_window_is_another_story(manifest: Manifest) -> None:
    assert len(grouped(manifest, seen("stg_orders"), seen("fct_orders", 360))) == 1
    assert len(grouped(manifest, seen("stg_orders"), seen("fct_orders", 361))) == 2


def test_a_failed_run_goes_with_the_checks_that_failed_in_it(manifest: Manifest) -> None:
    flights = seen("stg_flights", run_id="run-2")
    groups = grouped(
        manifest, run_failed("run-2"), run_failed("run-3"), seen("stg_orders"), flights
    )
    assert names(groups) == [
        ("stg_flights", ["stg_flights", None]),
        ("stg_orders", ["stg_orders"]),
        (None, [None]),
    ]


def test_a_question_is_a_story_of_its_own(manifest: Manifest) -> None:
    question = seen("fct_orders", kind=SymptomKind.QUESTION, check=None, detail="why?")
    assert len(grouped(manifest, question, seen("stg_orders"), seen("fct_orders"))) == 2


def test_the_worst_symptom_leads(manifest: Manifest) -> None:
    warning = seen("stg_orders", 0, severity=Severity.WARN, headline="a little late")
    error = seen("stg_orders", 5, check="keys", headline="keys are gone")
    (story,) = grouped(manifest, warning, error, seen("fct_orders", -5))
    assert story.lead is error
