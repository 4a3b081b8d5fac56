"""Claude after the patterns: its proposal goes through the same sandbox, its cost is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from dagster_agent.model import Finding, Verdict
from dagster_agent.response.steering import steer
from dagster_agent.testing.claude_server import serve
from dagster_agent.testing.scripted_claude import (
    ScriptedClaude,
    Step,
    answer,
    error,
    tool_use,
)
from tests.scenarios.conftest import NOW, Shop

MODEL = "models/marts/revenue.sql"
CLAIM = {
    "statement": "revenue adds up all that fct_orders holds",
    "sql": "select abs((select sum(f.amount) from shop.main.fct_orders as f)"
    " - (select sum(r.revenue) from shop.main.revenue as r))",
}


@pytest.fixture
def halved(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A revenue that is half of what it should be: no pattern knows such a thing."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    shop.replace(MODEL, "sum(amount)", "sum(amount) / 2")
    shop.commit("Revenue", days_ago=40)
    shop.build()
    return shop


def ask(shop: Shop, claude: ScriptedClaude, **settings: Any) -> Finding:
    with serve(claude) as address:
        shop.settings = {"claude": {"enabled": True, "base_url": address, **settings}}
        return shop.ask("why is revenue only half?", asset="revenue")


def looked() -> list[Step]:
    proposal = tool_use(
        "propose_change",
        reason="the division has no purpose",
        title="Add up the whole amount",
        rationale="Half of every amount is lost.",
        edits=[{"path": MODEL, "old": "sum(amount) / 2", "new": "sum(amount)"}],
        recheck="invariant",
        invariant=CLAIM,
    )
    return [
        tool_use("read_model", reason="what does revenue do?", name="revenue"),
        proposal,
        _concludes,
        _concludes,
    ]


def _concludes(body: Mapping[str, Any]) -> Any:
    if body.get("tool_choice") != {"type": "none"}:
        return "I know enough."
    return answer(
        {
            "summary": "Revenue is divided by two.",
            "suspicions": [
                {
                    "asset": "model.shop.revenue",
                    "mechanism": "revenue divides the sum of amounts by two",
                    "refuted_by": "it is half as well without the division",
                    "confidence": 0.9,
                    "evidence": [{"call": "T1", "statement": "the SQL divides by two"}],
                    "proposal": "P1",
                    "commit": None,
                }
            ],
        }
    )


def test_its_proposal_is_proved_in_the_sandbox(halved: Shop) -> None:
    claude = ScriptedClaude(looked())
    finding = ask(halved, claude)
    assert claude.violations == []
    report = finding.report
    assert report.verdict is Verdict.CAUSE_FOUND
    assert report.cause is not None
    assert report.cause.pattern == "claude"
    assert report.verification is not None
    assert report.verification.verified
    assert finding.consultation is not None
    assert finding.consultation.outcome == "answered"
    assert finding.consultation.tool_calls == 2
    assert finding.consultation.cost_usd is not None
    assert 0 < finding.consultation.cost_usd < 1
    assert finding.pull_request is not None
    assert finding.pull_request.state == "draft"


@pytest.mark.parametrize(
    ("script", "settings", "outcome"),
    [
        ([error(529, "overloaded_error")], {"max_retries": 0}, "unreachable"),
        (looked(), {"max_dollars": 0.000001}, "over-budget"),
    ],
    ids=["down", "over budget"],
)
def test_without_it_the_deterministic_report_stands(
    halved: Shop, script: Sequence[Step], settings: dict[str, Any], outcome: str
) -> None:
    finding = ask(halved, ScriptedClaude(script), **settings)
    assert finding.consultation is not None
    assert finding.consultation.outcome == outcome
    assert finding.report.cause is None or finding.report.cause.pattern != "claude"
    assert finding.pull_request is None


def test_it_is_off_by_default(halved: Shop) -> None:
    assert halved.ask("why is revenue only half?", asset="revenue").consultation is None


def test_a_persons_words_reach_it_within_one_turn(halved: Shop) -> None:
    def meanwhile(body: Mapping[str, Any]) -> Any:
        with halved.workspace() as opened:
            said = "look at the division in revenue.sql"
            steer(opened.store, "i-0", message=said, by="Mara", at=NOW)
        return tool_use("read_model", reason="first look", name="revenue")

    claude = ScriptedClaude([meanwhile, _concludes_nothing, _concludes_nothing])
    ask(halved, claude)
    assert claude.violations == []
    assert "look at the division" in str(claude.requests[1]["messages"][-1])
    assert any("Mara" in line for line in halved.voice.lines)


def _concludes_nothing(body: Mapping[str, Any]) -> Any:
    if body.get("tool_choice") != {"type": "none"}:
        return "Nothing more."
    return answer({"summary": "Nothing found.", "suspicions": []})
