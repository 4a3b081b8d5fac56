"""One suite for the ChatModel port: Claude on each platform, through the real client."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import anthropic
import httpx2
import pytest

from dagster_agent.connectors.chat_models import open_chat_model
from dagster_agent.connectors.chat_models.claude import ClaudeModel
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.ports.chat_model import (
    ChatModel,
    ChatRequest,
    ModelTurn,
    StopReason,
    ToolAnswer,
    ToolSpec,
    UserTurn,
)
from dagster_agent.testing.scripted_claude import (
    Reply,
    ScriptedClaude,
    answer,
    cut,
    error,
    refusal,
    thinking,
    tool_use,
)

MODEL = "claude-opus-5-5"
COUNT = ToolSpec(
    name="count_rows",
    description="Counts.",
    schema={
        "type": "object",
        "properties": {"table": {"type": "string", "maxLength": 20}},
        "required": ["table"],
    },
)
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}

Open = Callable[..., ChatModel]


def _client(platform: str, claude: ScriptedClaude) -> Any:
    http = httpx2.Client(transport=claude.transport())
    url = "http://fake.invalid"
    if platform == "bedrock":
        return anthropic.AnthropicBedrock(
            api_key="test", aws_region="eu-central-1", base_url=url, http_client=http
        )
    if platform == "foundry":
        return anthropic.AnthropicFoundry(api_key="test", base_url=url, http_client=http)
    return anthropic.Anthropic(api_key="test", base_url=url, http_client=http)


@pytest.fixture(params=["anthropic", "bedrock", "foundry"])
def open_model(request: pytest.FixtureRequest) -> Open:
    def opened(claude: ScriptedClaude, max_retries: int = 0) -> ChatModel:
        connect = partial(_client, request.param, claude)
        return ClaudeModel(connect, model=MODEL, max_retries=max_retries)

    return opened


def request(*turns: UserTurn | ModelTurn, **changes: Any) -> ChatRequest:
    fields: dict[str, Any] = {
        "system": "You count.",
        "turns": turns or (UserTurn(texts=("How many?",)),),
        "tools": (COUNT,),
        "max_output_tokens": 1000,
        "effort": "low",
        "timeout_seconds": 300.0,
    }
    return ChatRequest(**{**fields, **changes})


def test_text_calls_thoughts_and_usage(open_model: Open) -> None:
    claude = ScriptedClaude(
        [[thinking("count first"), tool_use("count_rows", table="a"), tool_use("count_rows")]]
    )
    model = open_model(claude)
    turn = model.reply(request())
    assert model.name == MODEL
    assert turn.stop is StopReason.TOOL_CALLS
    assert turn.thoughts == "count first"
    assert [(c.name, c.arguments) for c in turn.calls] == [
        ("count_rows", {"table": "a"}),
        ("count_rows", {}),
    ]
    assert turn.usage.output_tokens > 0
    assert turn.usage.all_input_tokens > 100
    assert claude.violations == []


def test_a_conversation_goes_on_verbatim(open_model: Open) -> None:
    claude = ScriptedClaude([[thinking("hm"), tool_use("count_rows", table="a")], answer({"n": 3})])
    model = open_model(claude)
    first = UserTurn(texts=("How many?",))
    called = model.reply(request(first))
    results = UserTurn(
        answers=(ToolAnswer(call_id=called.calls[0].id, text="3"),), texts=("Hurry.",)
    )
    last = model.reply(request(first, called, results, answer_schema=SCHEMA))
    assert (last.text, last.stop) == ('{"n": 3}', StopReason.DONE)
    assert last.usage.cache_read_tokens > 0
    sent = claude.requests[1]
    assert sent["tool_choice"] == {"type": "none"}
    assert sent["output_config"]["format"]["type"] == "json_schema"
    assert [m["role"] for m in sent["messages"]] == ["user", "assistant", "user"]
    assert claude.violations == []


def test_a_failed_tool_and_the_parameters_sent(open_model: Open) -> None:
    claude = ScriptedClaude([tool_use("count_rows", table="a"), "sorry"])
    model = open_model(claude)
    first = UserTurn(texts=("How many?",))
    called = model.reply(request(first))
    failed = UserTurn(
        answers=(ToolAnswer(call_id=called.calls[0].id, text="no such table", failed=True),)
    )
    assert model.reply(request(first, called, failed)).text == "sorry"
    (result,) = claude.requests[1]["messages"][-1]["content"]
    assert result["is_error"] is True
    sent = claude.requests[0]
    assert sent["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert sent["cache_control"] == {"type": "ephemeral"}
    assert sent["output_config"] == {"effort": "low"}
    assert sent["tools"][0]["strict"] is True
    assert "maxLength" in sent["tools"][0]["input_schema"]["properties"]["table"]["description"]


@pytest.mark.parametrize(
    ("step", "stop", "detail"),
    [
        ("done", StopReason.DONE, ""),
        (refusal("cyber"), StopReason.REFUSED, "cyber"),
        (cut({"type": "text", "text": "and th"}), StopReason.CUT, ""),
        (Reply(stop_reason="pause_turn"), StopReason.PAUSED, ""),
        (Reply(stop_reason="model_context_window_exceeded"), StopReason.TOO_LONG, ""),
        (Reply(stop_reason="some_new_reason"), StopReason.DONE, ""),
    ],
)
def test_stop_reasons(open_model: Open, step: Any, stop: StopReason, detail: str) -> None:
    turn = open_model(ScriptedClaude([step])).reply(request())
    assert (turn.stop, turn.stop_detail) == (stop, detail)


@pytest.mark.parametrize(
    ("status", "kind", "retryable", "word"),
    [
        (400, "invalid_request_error", False, "does not accept the request"),
        (400, "billing_error", False, "does not accept the request"),
        (401, "authentication_error", False, "ANTHROPIC_API_KEY"),
        (403, "permission_error", False, "forbids"),
        (404, "not_found_error", False, "does not know the model"),
        (413, "request_too_large", False, "too large"),
        (418, "teapot", False, "refuses"),
        (429, "rate_limit_error", True, "limits the rate"),
        (500, "api_error", True, "trouble"),
        (529, "overloaded_error", True, "overloaded"),
    ],
)
def test_errors(open_model: Open, status: int, kind: str, retryable: bool, word: str) -> None:
    said = "no: token=abcdef123456789"
    model = open_model(ScriptedClaude([error(status, kind, said)]))
    with pytest.raises(ConnectorError, match=word) as caught:
        model.reply(request())
    assert caught.value.retryable is retryable
    assert caught.value.hint
    assert "abcdef123456789" not in str(caught.value)
    assert f"HTTP {status}" in str(caught.value)


def test_no_network(open_model: Open) -> None:
    with pytest.raises(ConnectorError, match="cannot be reached: no route") as caught:
        open_model(ScriptedClaude([error(0, message="no route")])).reply(request())
    assert caught.value.retryable


def test_tries_again_while_there_is_time(open_model: Open) -> None:
    claude = ScriptedClaude([error(529, "overloaded_error"), "done"])
    assert open_model(claude, 1).reply(request()).text == "done"
    hurried = ScriptedClaude([error(529, "overloaded_error"), "done"])
    with pytest.raises(ConnectorError, match="overloaded"):
        open_model(hurried, 1).reply(request(timeout_seconds=30.0))


@pytest.mark.parametrize("place", ["ANTHROPIC_CONFIG_DIR", "HOME"])
def test_without_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, place: str) -> None:
    for name in [name for name in os.environ if name.startswith("ANTHROPIC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(place, str(tmp_path))
    model = open_chat_model(model=MODEL, base_url="https://fake.invalid")
    with pytest.raises(ConnectorError, match="ANTHROPIC_API_KEY") as caught:
        model.reply(request())
    assert not caught.value.retryable


def test_a_platform_that_is_not_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_FOUNDRY_RESOURCE", "ANTHROPIC_FOUNDRY_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    model = open_chat_model(model=MODEL, platform="foundry")
    with pytest.raises(ConnectorError, match="foundry cannot be set up"):
        model.reply(request())
    with pytest.raises(ConfigError, match="known: anthropic, bedrock, vertex, foundry"):
        open_chat_model(model=MODEL, platform="abacus")


# --- the fake is as strict as the API ------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"tool_choice": {"type": "any"}}, "forces tool use"),
        ({"thinking": {"type": "disabled"}}, "neither budgeted nor disabled"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "neither budgeted"),
        ({"extra_body": {"temperature": 0.5}}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "user", "content": " "}]}, "non-whitespace"),
        ({"messages": [{"role": "assistant", "content": "a"}]}, "first message"),
        ({"output_config": {"effort": "most"}}, "effort"),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            "additionalProperties",
        ),
    ],
)
def test_the_fake_refuses(change: dict[str, Any], word: str) -> None:
    claude = ScriptedClaude(["never"])
    arguments: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 10,
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [{"name": "a", "input_schema": {"type": "object"}}],
    }
    with pytest.raises(anthropic.BadRequestError, match=word):
        claude.client().messages.create(**{**arguments, **change})
    assert claude.left == 1


def test_the_fake_wants_every_call_answered_first_and_once() -> None:
    use = {"type": "tool_use", "id": "toolu_1_0", "name": "a", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1_0", "content": "1"}
    text = {"type": "text", "text": "and?"}
    for reply, word in (
        ([text], "without `tool_result`"),
        ([text, result], "must come first"),
        ([result, result], "single result"),
        ([{**result, "tool_use_id": "other"}], "unexpected tool_use_id"),
    ):
        claude = ScriptedClaude([tool_use("a"), "never"])
        first: dict[str, Any] = {
            "model": MODEL,
            "max_tokens": 10,
            "tools": [{"name": "a", "input_schema": {"type": "object"}}],
        }
        hi = {"role": "user", "content": "hi"}
        claude.client().messages.create(**first, messages=[hi])
        conversation = [
            hi,
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": reply},
        ]
        with pytest.raises(anthropic.BadRequestError, match=word):
            claude.client().messages.create(**first, messages=conversation)


def test_the_fake_notices_a_rewritten_past() -> None:
    said = {"type": "thinking", "thinking": "hm", "signature": "signed_1_0"}
    hi, on = {"role": "user", "content": "hi"}, {"role": "user", "content": "go on"}
    base: dict[str, Any] = {"model": MODEL, "max_tokens": 10}
    for first, middle, word in (
        (hi, {**said, "thinking": "redacted"}, "cannot be modified"),
        ({"role": "user", "content": "hello"}, said, "has been changed"),
    ):
        claude = ScriptedClaude([[thinking("hm")], "never"])
        claude.client().messages.create(**base, messages=[hi])
        later = [first, {"role": "assistant", "content": [middle]}, on]
        with pytest.raises(anthropic.BadRequestError, match=word):
            claude.client().messages.create(**base, messages=later)
