"""What leaves for a model, and what comes back: redacted, visible, bounded, marked as untrusted."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, cast

from dagster_agent.privacy.redaction import redact

_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
"""Variation selectors: they show nothing and can carry text."""
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"<[^<>]{0,200}>")
_ADDRESS = re.compile(r"(?:\w+:)?//\S+|\bwww\.\S+", re.IGNORECASE)
_PLAIN = (
    (re.compile(r"@(?=\w)"), "(at)"),
    (re.compile(r"(?<=\w)#(?=\d)"), " no. "),
    (re.compile(r"#(?=\d)"), "no. "),
    (re.compile(r"GH-(?=\d)", re.IGNORECASE), "GH "),
)


def visible(text: str) -> str:
    """The text without signs that show nothing: control, zero-width, bidirectional, private use.

    Line ends and tabs stay.
    """
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in kept if sign in "\n\t" or not _hidden(sign))


def _hidden(sign: str) -> bool:
    if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return True
    return any(ord(sign) in span for span in _SELECTORS)


def plain_words(text: str, limit: int, *, secrets: Sequence[str] = ()) -> str:
    """A model's words as a finding may quote them: one line that links to and calls nobody.

    Args:
        text: As the model wrote it.
        limit: Most characters.
        secrets: Values known to be secret.
    """
    text = redact(" ".join(visible(text).split()), secrets=secrets)
    text = _LINK.sub(r"\1", text)
    text = _ADDRESS.sub("[link]", _TAG.sub("", text))
    for pattern, replacement in _PLAIN:
        text = pattern.sub(replacement, text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def cleaned(value: Any, *, secrets: Sequence[str] = ()) -> Any:
    """A value as JSON can hold it, every text in it redacted and visible; unknown types as text."""
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return {visible(str(k)): cleaned(v, secrets=secrets) for k, v in pairs}
    if isinstance(value, list | tuple):
        return [cleaned(v, secrets=secrets) for v in cast("Sequence[Any]", value)]
    return redact(visible(str(value)), secrets=secrets)


def envelope(source: str, value: Any, *, limit: int, secrets: Sequence[str] = ()) -> str:
    """JSON text that says where data comes from and that nothing in it is an instruction.

    Args:
        source: What it was read from, in our words.
        value: The data; see `cleaned`.
        limit: Most characters of the data's JSON; what is longer is cut, and says so.
        secrets: Values known to be secret.
    """
    data = cleaned(value, secrets=secrets)
    wrapped: dict[str, Any] = {"source": source, "trust": "untrusted", "data": data}
    text = json.dumps(data, ensure_ascii=False)
    if len(text) > limit:
        wrapped["data"] = text[:limit]
        wrapped["cut"] = f"the first {limit:,} of {len(text):,} characters; ask for less at a time"
    return json.dumps(wrapped, ensure_ascii=False)
