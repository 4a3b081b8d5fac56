"""What is asked of a specialist, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.investigation.proof import Tested
from dagster_agent.model import Hypothesis

Outcome = Literal[
    "answered",
    "nothing-found",
    "over-budget",
    "unreachable",
    "refused",
    "invalid-answer",
    "off",
]
"""How a consultation ends. Only `answered` carries hypotheses; after any other the report of the
patterns stands as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a specialist starts from."""

    dossier: Dossier
    """Evidence."""
    tested: tuple[Tested, ...]
    """What the patterns suspected, and what the sandbox showed of it."""
    codebase: Codebase
    """Code and history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a consultation used."""

    turns: int = 0
    """Requests answered."""
    input_tokens: int = 0
    """Tokens read, those from the cache included."""
    output_tokens: int = 0
    """Tokens written, thinking included."""
    cache_read_tokens: int = 0
    """Of the tokens read: those from the cache."""
    cost_usd: float | None = None
    """At the configured prices; None for a model whose price is not known."""
    seconds: float = 0.0
    """Wall time."""
    tool_calls: int = 0
    """Tools run or refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultation:
    """What came of it."""

    outcome: Outcome
    """How it ended."""
    hypotheses: tuple[Hypothesis, ...] = ()
    """Untested, likeliest first; their pattern is `claude`."""
    summary: str = ""
    """The specialist's own words, bounded and harmless to show."""
    detail: str = ""
    """Why it ended so, for the log: the limit that was reached, the error, the refusal."""
    usage: Usage = Usage()
    """What it used."""
