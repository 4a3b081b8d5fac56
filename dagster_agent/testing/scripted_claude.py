"""`ScriptedClaude`: Anthropic's Messages API as a script, for the real client.

    claude = ScriptedClaude([tool_use("query", sql="..."), answer({"summary": "..."})])
    model = ClaudeModel(claude.client, model="claude-opus-5-5")

A request that breaks a rule of the API is answered 400, as the API does; so a loop that would
break live breaks in the test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from dagster_agent.testing.messages_api_rules import blocks_of, violation

if TYPE_CHECKING:
    import httpx2

Block = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A turn of Claude's with a stop reason of its own."""

    blocks: tuple[Block, ...] = ()
    """Content; blocks without an id get one."""
    stop_reason: str
    """As the API spells it."""
    category: str | None = None
    """Of a refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An answer that is no message; `status` 0 is a connection that breaks."""

    status: int
    """HTTP status."""
    kind: str
    """`error.type`."""
    message: str = "scripted"
    """`error.message`."""


Turn = str | Block | Sequence[Block] | Reply | Failure
"""Text, one block, several blocks, or one of the classes above."""
Step = Turn | Callable[[Mapping[str, Any]], Turn]
"""A turn, or what makes one of the request's body."""


def thinking(text: str) -> Block:
    """A block of thinking; its signature is made when it is sent."""
    return {"type": "thinking", "thinking": text}


def tool_use(name: str, /, **arguments: Any) -> Block:
    """A call of a tool."""
    return {"type": "tool_use", "name": name, "input": arguments}


def answer(value: Any) -> Block:
    """A final answer, as JSON text."""
    return {"type": "text", "text": json.dumps(value)}


def refusal(category: str | None = None) -> Reply:
    """Claude refuses."""
    return Reply(stop_reason="refusal", category=category)


def cut(*blocks: Block) -> Reply:
    """The turn reached `max_tokens`."""
    return Reply(stop_reason="max_tokens", blocks=blocks)


def error(status: int, kind: str = "api_error", message: str = "scripted") -> Failure:
    """The API answers with an error."""
    return Failure(status=status, kind=kind, message=message)


def tool_results(body: Mapping[str, Any]) -> list[Block]:
    """The tool results in the last message of a request, for steps that look at them."""
    return [b for b in blocks_of(body["messages"][-1]) if b.get("type") == "tool_result"]


@dataclass(slots=True)
class ScriptedClaude:
    """Answers each request with the next step of the script."""

    script: Iterable[Step]
    """What Claude says, in order."""
    requests: list[dict[str, Any]] = field(default_factory=lambda: list[dict[str, Any]]())
    """Bodies of the requests, in order, refused ones too."""
    violations: list[str] = field(default_factory=lambda: list[str]())
    """What was answered with 400, and steps that the API could not have taken."""
    _steps: list[Step] | None = None
    _said: list[tuple[str, Block]] = field(default_factory=lambda: list[tuple[str, Block]]())
    """Each message sent, with all that came before it as one text."""

    def client(self, *, max_retries: int = 0) -> Any:
        """A real client of anthropic that talks to this script."""
        import httpx2

        from dagster_agent.connectors.chat_models.claude import open_client

        return open_client(
            "anthropic",
            base_url="http://fake.invalid",
            api_key="test",
            max_retries=max_retries,
            http_client=httpx2.Client(transport=self.transport()),
        )

    def transport(self) -> httpx2.MockTransport:
        """For clients of other platforms."""
        import httpx2

        return httpx2.MockTransport(self._handle)

    @property
    def left(self) -> int:
        """Steps that were not asked for."""
        return len(self._rest())

    def _rest(self) -> list[Step]:
        if self._steps is None:
            self._steps = list(self.script)
        return self._steps

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        import httpx2

        body = cast("dict[str, Any]", json.loads(request.content))
        self.requests.append(body)
        if not (request.headers.get("authorization") or request.headers.get("x-api-key")):
            return _error(Failure(status=401, kind="authentication_error", message="no key"))
        problem = violation(body) or self._rewritten(body)
        steps = self._rest()
        if problem is None and not steps:
            problem = "the script has ended"
        if problem is not None:
            self.violations.append(problem)
            return _error(Failure(status=400, kind="invalid_request_error", message=problem))
        step = steps.pop(0)
        turn = step(body) if callable(step) else step
        if isinstance(turn, Failure):
            if turn.status == 0:
                raise httpx2.ConnectError(turn.message, request=request)
            return _error(turn)
        return httpx2.Response(200, json=self._message(body, turn))

    def _rewritten(self, body: Mapping[str, Any]) -> str | None:
        """Claude's turns come back as they were, on top of an unchanged conversation."""
        messages: list[Block] = body["messages"]
        mine = [index for index, m in enumerate(messages) if m["role"] == "assistant"]
        if not mine and self._said:
            self._said.clear()  # a new conversation
        for number, index in enumerate(mine):
            if number >= len(self._said):
                return f"messages.{index}: Claude never said this"
            before, said = self._said[number]
            if messages[index]["content"] != said["content"]:
                return f"messages.{index}: `thinking` blocks cannot be modified"
            if _prefix(body, index) != before:
                return f"messages.{index}: what was sent before this turn has been changed"
        last = messages[-1]
        if last["role"] == "assistant" and self._said[-1][1]["stop_reason"] != "pause_turn":
            return "messages: the conversation must end with a user message"
        return None

    def _message(self, body: Mapping[str, Any], turn: Turn) -> dict[str, Any]:
        reply = _reply(turn)
        number = len(self.requests)
        blocks = [_signed(b, f"{number}_{index}") for index, b in enumerate(reply.blocks)]
        self._check(body, reply)
        read, fresh = self._tokens(body)
        message: dict[str, Any] = {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": body.get("model", "scripted"),
            "content": blocks,
            "stop_reason": reply.stop_reason,
            "stop_sequence": None,
            "usage": {
                "input_tokens": 0 if body.get("cache_control") else fresh,
                "cache_creation_input_tokens": fresh if body.get("cache_control") else 0,
                "cache_read_input_tokens": read,
                "output_tokens": len(json.dumps(blocks)) // 4,
            },
        }
        if reply.stop_reason == "refusal":
            message["stop_details"] = {"type": "refusal", "category": reply.category}
        if blocks:
            self._said.append((_prefix(body, len(body["messages"])), message))
        return message

    def _check(self, body: Mapping[str, Any], reply: Reply) -> None:
        known = {tool["name"] for tool in body.get("tools") or ()}
        forbidden = body.get("tool_choice") == {"type": "none"}
        for block in reply.blocks:
            if block["type"] == "tool_use" and (forbidden or block["name"] not in known):
                self.violations.append(f"the script calls {block['name']}, which is not offered")

    def _tokens(self, body: Mapping[str, Any]) -> tuple[int, int]:
        """Read from the cache and not, about four characters to a token."""
        whole = len(_prefix(body, len(body["messages"]))) // 4
        read = len(self._said[-1][0]) // 4 if self._said and body.get("cache_control") else 0
        return read, max(0, whole - read)


def _prefix(body: Mapping[str, Any], end: int) -> str:
    """All that Claude saw before a message: the model, its role, the tools, the turns."""
    before = {name: body.get(name) for name in ("model", "system", "tools")}
    return json.dumps([before, body["messages"][:end]])


def _reply(turn: Turn) -> Reply:
    if isinstance(turn, Reply):
        return turn
    if isinstance(turn, str):
        turn = {"type": "text", "text": turn}
    blocks = (turn,) if isinstance(turn, Mapping) else tuple(cast("Sequence[Block]", turn))
    calls = any(block["type"] == "tool_use" for block in blocks)
    return Reply(blocks=blocks, stop_reason="tool_use" if calls else "end_turn")


def _signed(block: Block, mark: str) -> dict[str, Any]:
    if block["type"] == "tool_use":
        return {"id": f"toolu_{mark}", **block}
    if block["type"] == "thinking":
        return {"signature": f"signed_{mark}", **block}
    return dict(block)


def _error(failure: Failure) -> httpx2.Response:
    import httpx2

    body = {"type": "error", "error": {"type": failure.kind, "message": failure.message}}
    return httpx2.Response(failure.status, json=body, headers={"request-id": "req_scripted"})
