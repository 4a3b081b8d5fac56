"""The rules of Anthropic's Messages API that a client can break, as far as they are known to us."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

Json = Mapping[str, Any]

_FIELDS = frozenset(
    {
        *("model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking"),
        *("cache_control", "output_config", "metadata", "stop_sequences", "service_tier"),
        *("inference_geo", "anthropic_version", "speed", "diagnostics", "container"),
    }
)
_SAMPLING = ("temperature", "top_p", "top_k")
_SCHEMA_KEYWORDS = frozenset(
    {
        *("type", "properties", "required", "additionalProperties", "items", "enum", "const"),
        *("anyOf", "allOf", "$ref", "$defs", "description", "title", "format", "minItems"),
    }
)
_EFFORTS = (None, "low", "medium", "high", "xhigh", "max")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_MOST_CACHE_MARKS = 4
_MOST_OUTPUT_TOKENS = 128_000


def violation(body: Json) -> str | None:
    """What the API would say to a request, as to its form; None when it is well-formed."""
    return next(_violations(body), None)


def _violations(body: Json) -> Iterator[str]:
    yield from _parameters(body)
    yield from _thinking_and_choice(body)
    yield from _tools(body.get("tools") or ())
    yield from _output(body.get("output_config") or {})
    yield from _messages(body)
    if (marks := _cache_marks(body)) > _MOST_CACHE_MARKS:
        yield f"A maximum of 4 blocks with cache_control may be provided. Found {marks}."


def _parameters(body: Json) -> Iterator[str]:
    for name in ("max_tokens", "messages"):
        if name not in body:
            yield f"{name}: Field required"
    for name in sorted(set(body) - _FIELDS):
        why = "is not supported by this model" if name in _SAMPLING else "Extra inputs are not"
        yield f"{name}: {why} permitted"
    limit: object = body.get("max_tokens")
    if not isinstance(limit, int) or not 1 <= limit <= _MOST_OUTPUT_TOKENS:
        yield f"max_tokens: {limit} is not between 1 and {_MOST_OUTPUT_TOKENS}"


def _thinking_and_choice(body: Json) -> Iterator[str]:
    thinking: Json = body.get("thinking") or {}
    if thinking.get("type") in {"enabled", "disabled"} or "budget_tokens" in thinking:
        yield "thinking: this model thinks adaptively; it can be neither budgeted nor disabled"
    choice: Json = body.get("tool_choice") or {}
    if choice.get("type") in {"any", "tool"}:
        yield "tool_choice: Thinking may not be enabled when tool_choice forces tool use."
    if choice and not body.get("tools"):
        yield "tool_choice: may only be specified while providing tools"


def _tools(tools: Sequence[Json]) -> Iterator[str]:
    names = [str(tool.get("name")) for tool in tools]
    if len(set(names)) != len(names):
        yield "tools: Tool names must be unique."
    for index, tool in enumerate(tools):
        if not _TOOL_NAME.fullmatch(names[index]):
            yield f"tools.{index}.name: String should match pattern '{_TOOL_NAME.pattern}'"
        schema: Json = tool.get("input_schema") or {}
        if schema.get("type") != "object":
            yield f"tools.{index}.input_schema.type: Field required"
        if tool.get("strict"):
            for problem in _schema(schema):
                yield f"tools.{index}.input_schema: {problem}"


def _output(config: Json) -> Iterator[str]:
    if config.get("effort") not in _EFFORTS:
        yield f"output_config.effort: {config['effort']!r} is not permitted"
    form: Json | None = config.get("format")
    if form is not None:
        if form.get("type") != "json_schema" or not form.get("schema"):
            yield "output_config.format: Input should be {'type': 'json_schema', 'schema': ...}"
        for problem in _schema(form.get("schema") or {}):
            yield f"output_config.format.schema: {problem}"


def _schema(schema: Json) -> Iterator[str]:
    for keyword in sorted(set(schema) - _SCHEMA_KEYWORDS):
        yield f"For '{schema.get('type')}' type, property '{keyword}' is not supported"
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        yield "For 'object' type, 'additionalProperties' must be explicitly set to false"
    if schema.get("minItems", 0) not in {0, 1}:
        yield "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
    inner: list[Json] = [*(schema.get("properties") or {}).values()]
    inner += [*(schema.get("$defs") or {}).values(), *(schema.get("anyOf") or ())]
    if isinstance(schema.get("items"), Mapping):
        inner.append(schema["items"])
    for part in inner:
        yield from _schema(part)


def _messages(body: Json) -> Iterator[str]:
    messages: Sequence[Json] = body.get("messages") or ()
    if not messages:
        yield "messages: at least one message is required"
        return
    if messages[0].get("role") != "user":
        yield 'messages: first message must use the "user" role'
    wanted: list[str] = []
    for index, message in enumerate(messages):
        blocks = blocks_of(message)
        if not blocks:
            yield f"messages.{index}: all messages must have non-empty content"
        for block in blocks:
            if block.get("type") == "text" and not str(block.get("text", "")).strip():
                yield "messages: text content blocks must contain non-whitespace text"
        yield from _results(index, message, blocks, wanted)
        calls = [str(b["id"]) for b in blocks if b.get("type") == "tool_use"]
        if calls and not body.get("tools"):
            yield "tools: must be provided when tool_use blocks are in the messages"
        wanted = calls if message.get("role") == "assistant" else []
    if wanted:
        yield _unanswered(len(messages) - 1, wanted)


def _results(index: int, message: Json, blocks: Sequence[Json], wanted: list[str]) -> Iterator[str]:
    """`tool_result` blocks answer the calls of the message before, all of them, before all else."""
    results = [str(b["tool_use_id"]) for b in blocks if b.get("type") == "tool_result"]
    if message.get("role") != "user":
        if results:
            yield f"messages.{index}: tool_result blocks may only be in user messages"
        if wanted:
            yield _unanswered(index, wanted)
        return
    for unknown in (r for r in results if r not in wanted):
        yield f"messages.{index}: unexpected tool_use_id found in tool_result blocks: {unknown}"
    if len(set(results)) != len(results):
        yield f"messages.{index}: each tool_use must have a single result"
    if missing := [w for w in wanted if w not in results]:
        yield _unanswered(index, missing)
    kinds = [b.get("type") == "tool_result" for b in blocks]
    if kinds != sorted(kinds, reverse=True):
        yield f"messages.{index}: tool_result blocks must come first in the content"


def _unanswered(index: int, missing: Sequence[str]) -> str:
    return (
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately "
        f"after: {', '.join(missing)}"
    )


def blocks_of(message: Json) -> list[Json]:
    """The blocks of a message, whichever way its content was written."""
    content: object = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return cast("list[Json]", content) if isinstance(content, list) else []


def _cache_marks(body: Json) -> int:
    system: object = body.get("system")
    blocks: list[Json] = cast("list[Json]", system) if isinstance(system, list) else []
    blocks = [*blocks, *cast("Sequence[Json]", body.get("tools") or ())]
    for message in cast("Sequence[Json]", body.get("messages") or ()):
        blocks += blocks_of(message)
    return bool(body.get("cache_control")) + sum("cache_control" in block for block in blocks)
