"""`ChatModel`: a language model that can call tools, asked for one turn at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

Effort = Literal["low", "medium", "high", "xhigh", "max"]
"""How much a model thinks before it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as the model is told of it."""

    name: str
    """Letters, digits and underscores."""
    description: str
    """What it gives, and when to use it."""
    schema: Mapping[str, Any]
    """JSON schema of its arguments, an object. What a vendor cannot enforce becomes prose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model wants a tool to be run."""

    id: str
    """The vendor's id of the call."""
    name: str
    """Name of the tool."""
    arguments: Mapping[str, Any]
    """As the model gave them: not validated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolAnswer:
    """What a call gave."""

    call_id: str
    """The call it answers."""
    text: str
    """The result, or what went wrong."""
    failed: bool = False
    """Whether the tool could not do what was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTurn:
    """What the model is told. Answers come before texts; one of them is not empty."""

    answers: tuple[ToolAnswer, ...] = ()
    """One for each call of the turn before, in the order of the calls."""
    texts: tuple[str, ...] = ()
    """Said by the program or by a person."""


class StopReason(StrEnum):
    """Why the model ended its turn."""

    DONE = "done"
    TOOL_CALLS = "tool-calls"
    CUT = "cut"
    """The limit on output tokens was reached; calls in such a turn may be incomplete."""
    PAUSED = "paused"
    """The turn goes on when the conversation is sent again as it is."""
    REFUSED = "refused"
    TOO_LONG = "too-long"
    """The conversation no longer fits the model's window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """What one turn used. The four numbers do not overlap."""

    input_tokens: int
    """Read at the full price."""
    output_tokens: int
    """Written, thinking included."""
    cache_read_tokens: int = 0
    """Read from the cache."""
    cache_write_tokens: int = 0
    """Read, and written to the cache."""

    @property
    def all_input_tokens(self) -> int:
        """The length of the conversation that was sent."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTurn:
    """What the model said."""

    text: str
    """All it wrote."""
    thoughts: str
    """A summary of its thinking; often empty."""
    calls: tuple[ToolCall, ...]
    """In the order written."""
    stop: StopReason
    """Why it ended."""
    usage: TokenUsage
    """What it used."""
    verbatim: tuple[Mapping[str, Any], ...]
    """The turn in the vendor's own form. Goes back unchanged: vendors sign what they said."""
    stop_detail: str = ""
    """The vendor's word for why it refused."""


Turn = UserTurn | ModelTurn


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """A conversation that waits for the model's next turn."""

    system: str
    """Who the model is and what it may do."""
    turns: tuple[Turn, ...]
    """From the beginning; what was sent before is never changed, or vendors refuse it."""
    tools: tuple[ToolSpec, ...] = ()
    """What it may call; the same in every request of a conversation."""
    answer_schema: Mapping[str, Any] | None = None
    """When given, no tool may be called and the text is JSON of this schema."""
    max_output_tokens: int
    """Limit of this turn, thinking included."""
    effort: Effort | None = None
    """None: the model's own default."""
    timeout_seconds: float
    """Longest time that the turn may take, retries included."""


class ChatModel(Protocol):
    """A model behind a vendor's interface. Keeps nothing: each request carries all of it."""

    @property
    def name(self) -> str:
        """The model's id, as prices are listed under."""
        ...

    def reply(self, request: ChatRequest) -> ModelTurn:
        """The next turn. A refusal is a turn, not an error.

        Raises:
            ConnectorError: No answer: no or a wrong key, an unknown model, a limit, an overload, a
                time-out, no network, a request that the vendor does not accept.
        """
        ...
