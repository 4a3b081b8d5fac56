"""Claude through Anthropic's Messages API. The only module that knows the package anthropic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from dagster_agent.errors import ConnectorError
from dagster_agent.ports.chat_model import (
    ChatRequest,
    ModelTurn,
    StopReason,
    TokenUsage,
    ToolCall,
    ToolSpec,
    Turn,
)
from dagster_agent.privacy.redaction import redact

if TYPE_CHECKING:
    from anthropic import APIStatusError
    from anthropic.types import Message

_CLIENTS = {
    "anthropic": "Anthropic",
    "bedrock": "AnthropicBedrock",
    "vertex": "AnthropicVertex",
    "foundry": "AnthropicFoundry",
}
_STOPS: Mapping[str | None, StopReason] = {
    "end_turn": StopReason.DONE,
    "stop_sequence": StopReason.DONE,
    "tool_use": StopReason.TOOL_CALLS,
    "max_tokens": StopReason.CUT,
    "pause_turn": StopReason.PAUSED,
    "refusal": StopReason.REFUSED,
    "model_context_window_exceeded": StopReason.TOO_LONG,
}
_SHORTEST_ATTEMPT_SECONDS = 60
"""A turn that thinks takes about as long; with less time left there is one attempt and no retry."""

_KEY = (
    "set ANTHROPIC_API_KEY where Dagster runs, or what the chosen platform reads in its place; "
    "or switch `claude` off"
)
_STATUSES: Mapping[int, tuple[str, str, bool]] = {
    400: ("does not accept the request", "see the reason; report it if it names no setting", False),
    401: ("does not accept the key", _KEY, False),
    402: ("wants to be paid", "look at the billing of the account", False),
    403: ("forbids it", "look at what the key may use", False),
    404: ("does not know the model", "name in `claude.model` one that the key may use", False),
    408: ("was too slow", "try again", True),
    409: ("met a conflict", "try again", True),
    413: ("finds the request too large", "lower `claude.max_input_tokens`", False),
    429: ("limits the rate", "wait, or raise the limits of the account", True),
    529: ("is overloaded", "try again later", True),
}
"""By HTTP status: what Anthropic does, the next step, whether trying again may help."""


def open_client(platform: str, *, base_url: str | None = None, **given: Any) -> Any:
    """A client of anthropic for that platform, with what the environment holds.

    Args:
        platform: One of `PLATFORMS`.
        base_url: Address of a gateway.
        given: Further arguments of the client, such as `http_client`.

    Raises:
        ConnectorError: The environment lacks what the platform needs, or a package is missing.
    """
    import anthropic

    arguments = given if base_url is None else {"base_url": base_url, **given}
    try:
        return getattr(anthropic, _CLIENTS[platform])(**arguments)
    except (anthropic.AnthropicError, ValueError, TypeError, RuntimeError, ImportError) as error:
        raise ConnectorError(
            f"Claude on {platform} cannot be set up: {redact(str(error))}", hint=_KEY
        ) from error


class ClaudeModel:
    """Implements `ports.ChatModel`.

    Args:
        connect: Makes a client of anthropic, of any platform; called once, when it is needed.
        model: The model's id.
        max_retries: How often a turn is tried again when the platform is busy or out of reach.
    """

    def __init__(self, connect: Callable[[], Any], *, model: str, max_retries: int = 2) -> None:
        self._connect = connect
        self._client: Any = None
        self._model = model
        self._max_retries = max_retries

    @property
    def name(self) -> str:
        """The model's id."""
        return self._model

    def reply(self, request: ChatRequest) -> ModelTurn:
        """See `ChatModel`."""
        import anthropic

        attempts = self._max_retries + 1
        if request.timeout_seconds < attempts * _SHORTEST_ATTEMPT_SECONDS:
            attempts = 1
        if self._client is None:
            self._client = self._connect()
        client = self._client.with_options(
            timeout=request.timeout_seconds / attempts, max_retries=attempts - 1
        )
        try:
            message = cast("Message", client.messages.create(**self._arguments(request)))
        except anthropic.APIStatusError as error:
            raise _refused(self._model, error) from error
        except anthropic.APITimeoutError as error:
            raise ConnectorError(
                f"{self._model} did not answer within {request.timeout_seconds:.0f} seconds",
                hint="raise `claude.max_minutes`, or try again",
                retryable=True,
            ) from error
        except anthropic.APIConnectionError as error:
            raise ConnectorError(
                f"Claude cannot be reached: {redact(str(error.__cause__ or error))}",
                hint="check the network and the proxy, or switch `claude` off",
                retryable=True,
            ) from error
        except (anthropic.AnthropicError, TypeError, ValueError, RuntimeError) as error:
            # without a key the library raises a bare TypeError; platforms raise the others
            raise ConnectorError(
                f"{self._model} could not be asked: {redact(str(error))}", hint=_KEY
            ) from error
        return _turn(message)

    def _arguments(self, request: ChatRequest) -> dict[str, Any]:
        output: dict[str, Any] = {} if request.effort is None else {"effort": request.effort}
        arguments: dict[str, Any] = {
            "model": self._model,
            "max_tokens": request.max_output_tokens,
            "system": [
                {
                    "type": "text",
                    "text": request.system,
                    "cache_control": {"type": "ephemeral"},
                }
            ],
            "messages": _messages(request.turns),
            # without a summary the text between calls is empty, and the log has nothing to tell
            "thinking": {"type": "adaptive", "display": "summarized"},
            "cache_control": {"type": "ephemeral"},
        }
        if request.tools:
            arguments["tools"] = [_tool(tool) for tool in request.tools]
        if request.answer_schema is not None:
            output["format"] = {"type": "json_schema", "schema": _reduced(request.answer_schema)}
            if request.tools:
                arguments["tool_choice"] = {"type": "none"}
        if output:
            arguments["output_config"] = output
        return arguments


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": _reduced(tool.schema),
        "strict": True,
    }


def _reduced(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in the subset that Anthropic enforces; the rest becomes prose in it."""
    from anthropic import transform_schema

    return transform_schema(dict(schema))


def _messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for turn in turns:
        if isinstance(turn, ModelTurn):
            if turn.verbatim:  # an empty message would not be accepted
                messages.append({"role": "assistant", "content": [dict(b) for b in turn.verbatim]})
            continue
        results: list[dict[str, Any]] = [
            {
                "type": "tool_result",
                "tool_use_id": answer.call_id,
                "content": answer.text,
                **({"is_error": True} if answer.failed else {}),
            }
            for answer in turn.answers
        ]
        texts = [{"type": "text", "text": text} for text in turn.texts]
        messages.append({"role": "user", "content": [*results, *texts]})
    return messages


def _turn(message: Message) -> ModelTurn:
    usage, details = message.usage, message.stop_details
    return ModelTurn(
        text="".join(block.text for block in message.content if block.type == "text"),
        thoughts="\n".join(b.thinking for b in message.content if b.type == "thinking"),
        calls=tuple(
            ToolCall(id=block.id, name=block.name, arguments=block.input)
            for block in message.content
            if block.type == "tool_use"
        ),
        # a reason that is not known yet is no reason to go on
        stop=_STOPS.get(message.stop_reason, StopReason.DONE),
        stop_detail=(details.category or details.explanation or "") if details else "",
        usage=TokenUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_input_tokens or 0,
            cache_write_tokens=usage.cache_creation_input_tokens or 0,
        ),
        verbatim=tuple(block.to_dict(mode="json") for block in message.content),
    )


def _refused(model: str, error: APIStatusError) -> ConnectorError:
    status = error.status_code
    busy = ("has trouble of its own", "try again later", True)
    unknown = ("refuses the request", "see the reason", False)
    does, hint, retryable = _STATUSES.get(status, busy if status >= 500 else unknown)
    reason = redact(str(error.api_message or error.type or "no reason given"))[:500]
    request_id = f", request {error.request_id}" if error.request_id else ""
    return ConnectorError(
        f"Anthropic {does} ({model}, HTTP {status}{request_id}): {reason}",
        hint=hint,
        retryable=retryable,
    )
