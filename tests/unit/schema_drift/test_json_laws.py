"""Laws of keys in documents: what is drawn alike has not drifted, and what is planted is found."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from dagster_agent.schema_drift.json_absence import absences, stays_away
from dagster_agent.schema_drift.json_chance import LEVEL, all_elsewhere, newly_there
from dagster_agent.schema_drift.json_changes import KeyChange, key_changes, learned
from dagster_agent.schema_drift.json_keys import ColumnKeys, Path
from dagster_agent.schema_drift.json_memory import (
    KnownColumn,
    first_known,
    from_plain,
    to_plain,
)
from tests.unit.schema_drift.json_sample import look_at

Producer = Mapping[str, tuple[float, Sequence[Any]]]
"""Share of documents, and values, by key."""
SEEDS = st.integers(0, 2**32)
PRODUCERS: st.SearchStrategy[Producer] = st.dictionaries(
    st.sampled_from(["id", "amount", "note", "user", "items", "tags"]),
    st.tuples(
        st.sampled_from([1.0, 0.9, 0.5, 0.1, 0.02, 0.004]),
        st.sampled_from([[1, 2], [1.5, 2], ["x", 1], [None, "x"], [{"a": 1}, {}], [[1], []]]),
    ),
    min_size=1,
)


def _drawn(producer: Producer, count: int, seed: int) -> list[Any]:
    dice = random.Random(seed)  # noqa: S311 - no secret
    return [
        {
            key: dice.choice(values)
            for key, (share, values) in producer.items()
            if dice.random() < share
        }
        for _ in range(count)
    ]


@effort(max_examples=40)
@given(PRODUCERS, SEEDS, st.sampled_from([3, 60, 300]), st.sampled_from([3, 60, 300]))
def test_documents_drawn_alike_have_not_drifted(
    producer: Producer, seed: int, before: int, after: int
) -> None:
    known = first_known(look_at(_drawn(producer, before, seed)))
    for look in range(1, 4):
        found = look_at(_drawn(producer, after, seed + look))
        changes = key_changes(known, found)
        assert changes == ()
        known = learned(known, found, changes)


@effort(max_examples=20)
@given(PRODUCERS, SEEDS)
def test_a_look_has_not_drifted_from_itself(producer: Producer, seed: int) -> None:
    found = look_at(_drawn(producer, 200, seed))
    known = first_known(found)
    assert key_changes(known, found) == ()
    after = learned(known, found, ())
    assert learned(after, found, ()) == after
    assert after.keys.keys() == known.keys.keys()
    assert from_plain(to_plain({"payload": known})) == {"payload": known}


STEADY: Producer = {"id": (1.0, [1]), "amount": (0.8, [1.5]), "rare": (0.003, [True])}


def _without(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "amount"}


def _nulled(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"amount": None}


def _texts(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"amount": "1.5"}


def _with_coupon(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"coupon": "X"}


PLANTED: list[tuple[Callable[[dict[str, Any]], dict[str, Any]], str, str]] = [
    (_without, "removed", "amount"),
    (_nulled, "removed", "amount"),
    (_texts, "retyped", "amount"),
    (_with_coupon, "added", "coupon"),
]


def _planted(
    plant: Callable[[dict[str, Any]], dict[str, Any]], new: int, seed: int
) -> tuple[KnownColumn, ColumnKeys, tuple[KeyChange, ...]]:
    documents = _drawn(STEADY, 400, seed)
    known = first_known(look_at(documents))
    # the window moved on: the oldest made room for the new ones
    found = look_at([*documents[new:], *map(plant, _drawn(STEADY, new, seed + 1))])
    return known, found, key_changes(known, found)


@pytest.mark.parametrize(("plant", "kind", "key"), PLANTED)
@effort(max_examples=8)
@given(SEEDS, st.sampled_from([60, 200, 400]))
def test_what_is_planted_is_found_and_nothing_else(
    plant: Callable[[dict[str, Any]], dict[str, Any]], kind: str, key: str, seed: int, new: int
) -> None:
    known, found, changes = _planted(plant, new, seed)
    assert [(change.kind, change.path) for change in changes] == [(kind, (key,))]
    # accepted: quiet now, and after more of the same
    accepted = learned(known, found, changes)
    assert key_changes(accepted, found) == ()
    more = look_at([*map(plant, _drawn(STEADY, 400, seed + 2))])
    assert key_changes(accepted, more) == ()
    assert key_changes(learned(accepted, more, ()), more) == ()


@effort(max_examples=10)
@given(SEEDS, st.sampled_from([(_without, "removed"), (_texts, "retyped")]))
def test_what_is_reverted_is_quiet_and_found_again(
    seed: int, planted: tuple[Callable[[dict[str, Any]], dict[str, Any]], str]
) -> None:
    plant, kind = planted
    documents = _drawn(STEADY, 400, seed)
    known = first_known(look_at(documents))
    broken = [*documents, *map(plant, _drawn(STEADY, 60, seed + 1))]
    assert [c.kind for c in key_changes(known, look_at(broken))] == [kind]
    mended = [*broken, *_drawn(STEADY, 60, seed + 2)]
    found = look_at(mended)
    assert key_changes(known, found) == ()
    after = learned(known, found, ())
    again = look_at([*mended, *map(plant, _drawn(STEADY, 200, seed + 3))])
    assert [c.kind for c in key_changes(after, again)] == [kind]


def test_an_accepted_loss_is_over_when_the_key_comes_back() -> None:
    documents: list[Any] = [{"id": 1, "amount": 1.5}] * 300
    known = first_known(look_at(documents))
    lost = look_at([*documents, *[{"id": 1}] * 50])
    accepted = learned(known, lost, key_changes(known, lost))
    assert accepted.keys["amount",].gone == 51
    back = look_at([*documents, *[{"id": 1}] * 50, *documents])
    assert key_changes(accepted, back) == ()
    renewed = learned(accepted, back, ())
    assert renewed.keys["amount",].gone == 0
    gone = look_at([*documents, *[{"id": 1}] * 200])
    assert [change.kind for change in key_changes(renewed, gone)] == ["removed"]


def test_a_table_that_was_emptied_for_a_moment_teaches_nothing() -> None:
    known = first_known(look_at([{"id": 1}] * 300))
    for few in ([], [{"id": 1}] * 3):
        assert learned(known, look_at(few), ()) == known


def test_a_column_without_documents_is_learned_later() -> None:
    nothing = learned(None, look_at([]), ())
    found = look_at([{"id": 1}] * 300)
    assert key_changes(nothing, found) == ()
    assert learned(nothing, found, ()) == first_known(found)


def test_a_map_that_grows_beyond_the_fold_is_no_drift() -> None:
    small = [{"by": {f"k{n % 30}": 1}} for n in range(300)]
    large = [{"by": {f"k{n % 90}": 1}} for n in range(300)]
    for before, after in ((small, large), (large, small)):
        known, found = first_known(look_at(before)), look_at(after)
        assert key_changes(known, found) == ()
        assert key_changes(learned(known, found, ()), look_at(before)) == ()


@given(st.integers(1, 50), st.integers(50, 500), st.integers(0, 500))
def test_chances_are_shares_that_fall_with_the_evidence(
    having: int, among: int, without: int
) -> None:
    chance = all_elsewhere(having, among, without)
    assert 0 <= chance <= 1
    assert all_elsewhere(having, among, without + 1) <= chance
    assert all_elsewhere(having - 1, among, without) >= chance
    assert newly_there(having, among, among, without) <= 1


def test_the_level_is_what_it_says() -> None:
    # one of two shuffled halves: twenty documents all in the one
    assert all_elsewhere(20, 5000, 5000) < LEVEL < all_elsewhere(19, 5000, 5000)
    assert all_elsewhere(1, 1, 1) == pytest.approx(0.5)
    assert all_elsewhere(0, 10, 10) == all_elsewhere(5, 10, 0) == 1


def test_lots_that_come_and_go_are_no_drift_and_what_stops_is_found() -> None:
    """Two kinds of events all day, a lot of a third each night, one of a fourth once."""
    start = datetime(2026, 11, 2, tzinfo=UTC)
    documents: list[Any] = []
    known: KnownColumn | None = None
    told: list[tuple[int, Path]] = []
    for hour in range(7 * 24):
        stopped = hour >= 6 * 24
        view = {"type": "view"} if stopped else {"type": "view", "page": "x"}
        documents += [view, {"type": "order", "amount": 1.5}, view] * 4
        documents += [{"type": "sync", "batch": 1}] * (70 if hour % 24 == 2 else 0)
        documents += [{"type": "weekly", "report": 1}] * (20 if hour == 75 else 0)
        documents = documents[-120:]
        found, now = look_at(documents), start + timedelta(hours=hour)
        changes = () if known is None else key_changes(known, found)
        gone = [change for change in changes if change.kind == "removed"]
        fails = [
            change.path
            for change in gone
            if known and hour >= 24 and stays_away(known.keys[change.path], now)
        ]
        told += [(hour, path) for path in fails]
        before = known
        if known is None or not fails:
            news = [change for change in changes if change.kind == "added"]
            known = learned(known, found, news, doubtful=gone)
        missing = [change.path for change in gone]
        known = absences(known, before, missing, now=now, trained=hour >= 24)
        assert from_plain(to_plain({"payload": known})) == {"payload": known}
    assert {path for _, path in told} == {("page",)}
    assert min(hour for hour, _ in told) < 6 * 24 + 15
