"""A consultation from the first request to the outcome, with the real client and a script.

This file is long because each test is one whole conversation, written out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.dbt.project import DbtProject
from dagster_agent.errors import InvestigationStopped
from dagster_agent.investigation.config import InvestigationConfig
from dagster_agent.investigation.proof import prove
from dagster_agent.investigation.rechecks import run_again
from dagster_agent.model import UNTESTED_CONFIDENCE_CAP, HypothesisStatus, Recheck
from dagster_agent.ports import Warehouse
from dagster_agent.repair.sandbox import Sandbox
from dagster_agent.testing.scripted_claude import (
    Reply,
    answer,
    cut,
    error,
    refusal,
    thinking,
    tool_results,
    tool_use,
)

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
STG = "models/staging/stg_orders.sql"
LOOK = tool_use("row_accounting", reason="rows are missing", name="stg_orders")
CLAIM = {
    "statement": "every raw order is in stg_orders",
    "sql": "select count(*) as n from raw.orders as o "
    "left join stg_orders as s on s.id = o.id where s.id is null",
}
PROPOSE = tool_use(
    "propose_change",
    reason="it mends the loss",
    title="Keep orders without a rate",
    rationale="The inner join to rates drops them.",
    edits=[{"path": STG, "old": "inner join", "new": "left join"}],
    recheck="invariant",
    invariant=CLAIM,
)


def final(**changes: Any) -> Any:
    suspicion = {
        "asset": "model.shop.stg_orders",
        "mechanism": "25 orders in CHF have no rate and the inner join drops them. Fixes #1 @ops",
        "refuted_by": "CHF has a rate",
        "confidence": 0.95,
        "evidence": [{"call": "T1", "statement": "25 of 100 rows are lost at the join to rates"}],
        "proposal": "P1",
        "commit": None,
    }
    return answer({"summary": "A rate is missing.", "suspicions": [{**suspicion, **changes}]})


NOTHING = answer({"summary": "I found nothing.", "suspicions": []})
SCRIPT = [[thinking("look at rows"), LOOK, PROPOSE], "I have seen enough.", final()]


def test_an_answer_becomes_a_hypothesis(ask: Any) -> None:
    session = ask(SCRIPT)
    found = session.consultation
    assert session.claude.violations == []
    assert (found.outcome, found.summary) == ("answered", "A rate is missing.")
    (hypothesis,) = found.hypotheses
    assert (hypothesis.pattern, hypothesis.asset) == ("claude", "model.shop.stg_orders")
    assert hypothesis.confidence == UNTESTED_CONFIDENCE_CAP
    assert hypothesis.mechanism.endswith("drops them. Fixes no. 1 (at)ops")
    assert hypothesis.recheck is Recheck.INVARIANT
    assert (hypothesis.files, hypothesis.line) == ((STG,), 9)
    assert not hypothesis.data_cause
    (evidence,) = hypothesis.evidence
    assert evidence.kind == "row-accounting"
    assert evidence.source == 'row_accounting {"name": "stg_orders"}'


def test_the_requests_keep_the_rules(ask: Any) -> None:
    requests = ask(SCRIPT).claude.requests
    assert len(requests) == 3
    first, second, last = requests
    assert "tool_choice" not in first
    assert first["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert [b["type"] for b in second["messages"][1]["content"]] == [
        *("thinking", "tool_use", "tool_use"),
    ]
    assert [b["type"] for b in second["messages"][2]["content"]] == ["tool_result"] * 2
    assert last["tool_choice"] == {"type": "none"}
    assert last["output_config"]["format"]["type"] == "json_schema"
    assert last["tools"] == first["tools"]
    assert last["messages"][-1]["content"][0]["text"].startswith("[operator] Answer now")


def test_usage_and_cost(ask: Any) -> None:
    session = ask(SCRIPT)
    usage = session.consultation.usage
    assert (usage.turns, usage.tool_calls) == (3, 2)
    assert usage.cache_read_tokens > 0
    written = usage.input_tokens - usage.cache_read_tokens
    cost = (usage.cache_read_tokens * 0.4 + written * 5 + usage.output_tokens * 20) / 1e6
    assert usage.cost_usd == pytest.approx(cost, abs=1e-6)
    assert ask(SCRIPT, model="claude-of-tomorrow").consultation.usage.cost_usd is None
    priced = ask(
        SCRIPT,
        model="claude-of-tomorrow",
        prices={"claude-of-tomorrow": {"input": 0, "output": 1000}},
    )
    assert priced.consultation.usage.cost_usd == pytest.approx(
        priced.consultation.usage.output_tokens / 1000
    )


def test_every_turn_and_call_is_told(ask: Any) -> None:
    steps = ask(SCRIPT).narrator.steps
    told = [step.what for step in steps]
    assert told[0] == "ask claude-opus-5-5"
    assert told[1] == "Claude, turn 1"
    assert told[2].startswith("Claude: row_accounting")
    assert told[-1] == "claude-opus-5-5: answered"
    assert steps[1].why == "look at rows"
    assert "2 tool calls" in steps[1].result
    assert (steps[2].why, steps[2].result) == (
        "rows are missing",
        "2 steps of stg_orders: 25 rows lost, 0 added",
    )
    assert steps[-1].result.startswith("1 suspicions; 3 turns, 2 tool calls")
    unpriced = ask(SCRIPT, model="claude-of-tomorrow").narrator.steps
    assert "price of claude-of-tomorrow is not known" in unpriced[0].result


def test_off_asks_nobody(ask: Any) -> None:
    session = ask(SCRIPT, enabled=False)
    assert session.consultation.outcome == "off"
    assert session.claude.requests == []


@pytest.mark.parametrize(
    ("script", "outcome", "detail"),
    [
        (["done", NOTHING], "nothing-found", ""),
        ([error(529, "overloaded_error")], "unreachable", "is overloaded"),
        ([LOOK, error(401, "authentication_error")], "unreachable", "ANTHROPIC_API_KEY"),
        ([error(0)], "unreachable", "cannot be reached"),
        ([error(400, "invalid_request_error")], "unreachable", "does not accept"),
        ([refusal("cyber")], "refused", "the model refused: cyber"),
        ([LOOK, "done", refusal()], "refused", "no reason given"),
        (
            [Reply(stop_reason="model_context_window_exceeded")],
            "over-budget",
            "no longer fits the model's window",
        ),
        (["done", "no JSON", "still none"], "invalid-answer", "Invalid JSON"),
        (["done", cut(answer({"summary": "x"})), cut()], "invalid-answer", "too long"),
    ],
)
def test_outcomes(ask: Any, script: Sequence[Any], outcome: str, detail: str) -> None:
    session = ask(script)
    assert session.claude.violations == []
    assert session.consultation.outcome == outcome
    assert detail in session.consultation.detail
    assert session.consultation.hypotheses == ()
    assert session.claude.left == 0
    assert session.narrator.steps[-1].what == f"claude-opus-5-5: {outcome}"


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"asset": "model.shop.nothing"}, "no asset"),
        ({"asset": "people"}, "not in scope"),
        ({"confidence": 3}, "less than or equal to 1"),
        ({"proposal": "P9"}, "no proposal 'P9'"),
        ({"evidence": [{"call": "T7", "statement": "x"}]}, "no tool call 'T7'"),
        ({"commit": "0000000"}, "no commit"),
        ({"commit": "HEAD"}, "no commit"),
        ({"more": 1}, "Extra inputs"),
    ],
)
def test_an_answer_may_be_mended_once(ask: Any, wrong: dict[str, Any], word: str) -> None:
    session = ask([[LOOK, PROPOSE], "done", final(**wrong), final()])
    assert session.claude.violations == []
    assert session.consultation.outcome == "answered"
    asked = session.claude.requests[-1]["messages"][-1]["content"][0]["text"]
    assert "cannot be used" in asked
    assert word in asked
    again = ask([[LOOK, PROPOSE], "done", final(**wrong), final(**wrong)])
    assert again.consultation.outcome == "invalid-answer"


def test_a_commit_and_a_cause_in_the_data(ask: Any, codebase: Any) -> None:
    head = codebase.repository.head()
    data_cause = tool_use(
        "propose_change",
        **{**PROPOSE["input"], "edits": [], "title": "none"},
    )
    session = ask([[LOOK, data_cause], "done", final(commit=head[:8])])
    (hypothesis,) = session.consultation.hypotheses
    assert hypothesis.commit == head
    assert hypothesis.data_cause
    assert hypothesis.change is None


def test_turns_that_are_cut_or_paused_go_on(ask: Any) -> None:
    session = ask(
        [
            cut(thinking("and so"), LOOK),
            Reply(stop_reason="pause_turn", blocks=({"type": "text", "text": "wait"},)),
            [LOOK, PROPOSE],
            "done",
            final(),
        ]
    )
    assert session.claude.violations == []
    assert session.consultation.outcome == "answered"
    result, text = session.claude.requests[1]["messages"][-1]["content"]
    assert result["is_error"] is True
    assert "Your turn was cut" in text["text"]
    assert session.consultation.usage.tool_calls == 2


def test_a_person_is_heard_with_the_next_turn(ask: Any) -> None:
    said = iter([[], ["look at CHF, password=hunter2-hunter2\u202e"], [], [], []])
    session = ask([LOOK, PROPOSE, "done", final()], messages=lambda: next(said))
    result, text = session.claude.requests[1]["messages"][-1]["content"]
    assert result["type"] == "tool_result"
    assert text["text"] == (
        "[operator] A person who watches says: look at CHF, password=[redacted]"
    )
    assert any("a person's message" in step.what for step in session.narrator.steps)
    assert session.consultation.outcome == "answered"


def test_a_person_who_speaks_at_the_end_is_heard_too(ask: Any) -> None:
    said = iter([[], ["wait: look at CHF"], [], []])
    session = ask(["done", [LOOK, PROPOSE], "done", final()], messages=lambda: next(said, []))
    assert "look at CHF" in str(session.claude.requests[1]["messages"][-1])
    assert session.consultation.outcome == "answered"
    assert session.claude.violations == []


def test_a_person_who_says_stop_is_obeyed_at_once(ask: Any) -> None:
    calls = 0

    def stop() -> Sequence[str]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise InvestigationStopped("Mara stopped the investigation")
        return ()

    with pytest.raises(InvestigationStopped):
        ask([LOOK, NOTHING], messages=stop)


def many(turns: int) -> list[Any]:
    return [*[LOOK] * turns, NOTHING]


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        ({"max_turns": 4}, "max_turns 4"),
        ({"max_input_tokens": 60_000}, "max_input_tokens 60,000"),
        ({"max_output_tokens": 6_600}, "max_output_tokens 6,600"),
        ({"max_dollars": 0.55}, "max_dollars 0.55"),
    ],
)
def test_limits_end_with_an_answer(ask: Any, limits: dict[str, Any], limit: str) -> None:
    asked = 0

    def next_turn(body: dict[str, Any]) -> Any:
        nonlocal asked
        asked += 1
        return NOTHING if "format" in body.get("output_config", {}) else LOOK

    session = ask([next_turn] * 40, **limits)
    assert session.claude.violations == []
    found, usage = session.consultation, session.consultation.usage
    assert found.outcome == "nothing-found"
    assert found.detail == f"asked to answer early: {limit} would be passed"
    assert 1 < asked < 40
    assert usage.turns <= limits.get("max_turns", 99)
    assert usage.input_tokens <= limits.get("max_input_tokens", 10**9)
    assert usage.output_tokens <= limits.get("max_output_tokens", 10**9)
    assert (usage.cost_usd or 0) <= limits.get("max_dollars", 99)


@pytest.mark.parametrize(
    "limits", [{"max_input_tokens": 1000}, {"max_dollars": 0.0001}, {"max_minutes": 1e-9}]
)
def test_a_limit_too_small_for_anything(ask: Any, limits: dict[str, Any]) -> None:
    session = ask(many(3), **limits)
    assert session.consultation.outcome == "over-budget"
    assert session.claude.requests == []


def test_tool_calls_are_limited_and_all_answered(ask: Any) -> None:
    session = ask([[LOOK] * 5, NOTHING, NOTHING], max_tool_calls=3)
    results = tool_results(session.claude.requests[1])
    assert [r.get("is_error", False) for r in results] == [False, False, False, True, True]
    assert "3 tool calls were made" in results[-1]["content"]
    assert session.consultation.usage.tool_calls == 3
    assert session.claude.violations == []


def test_a_suspicion_is_proved_in_a_sandbox(
    ask: Any, project: DbtProject, warehouse: Warehouse, tmp_path: Path
) -> None:
    session = ask(SCRIPT)
    (tested,) = prove(
        session.consultation.hypotheses,
        focus="model.shop.orders_daily",
        open_sandbox=lambda: Sandbox(
            project=project, warehouse=warehouse, directory=tmp_path / "sandbox"
        ),
        recheck=partial(run_again, reconcile=lambda *_: pytest.fail("not asked"), now=NOW),
        narrator=session.narrator,
        config=InvestigationConfig(),
    )
    assert tested.verification is not None
    assert tested.verification.verified, json.dumps(
        [f"{s.name}: {s.detail}" for s in tested.verification.steps], indent=1
    )
    assert tested.hypothesis.status is HypothesisStatus.CONFIRMED
    assert tested.hypothesis.confidence >= 0.9
