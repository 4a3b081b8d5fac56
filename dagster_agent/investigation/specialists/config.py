"""Whether Claude is asked, which one, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dagster_agent.ports.chat_model import Effort

PRICES_AS_OF = date(2026, 11, 21)
"""When the prices below were read."""


class ModelPrice(BaseModel):
    """What a model costs, in US dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0)
    """Tokens read."""

    output: float = Field(ge=0)
    """Tokens written, thinking included."""

    cache_read: float | None = Field(default=None, ge=0)
    """Tokens read from the cache. None: a tenth of `input`."""

    cache_write: float | None = Field(default=None, ge=0)
    """Tokens written to the cache for five minutes. None: a quarter more than `input`."""

    as_of: date = PRICES_AS_OF
    """When the price was looked up."""


PRICES: Mapping[str, ModelPrice] = {
    "claude-opus-5-5": ModelPrice(input=4, output=20),
    "claude-sonnet-5-5": ModelPrice(input=2, output=10),
    "claude-opus-5": ModelPrice(input=5, output=25, cache_read=0.5, cache_write=6.25),
    "claude-fable-5-1": ModelPrice(input=10, output=50),
}
"""List prices of the first-party API that are known to us; of any other model cost is unknown."""


class ClaudeConfig(BaseModel):
    """Claude is off by default: then no text leaves, and everything else works as it does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = False
    """Whether Claude is asked after the patterns. Needs a key in the environment."""

    model: str = Field(default="claude-opus-5-5", min_length=1)
    """Id of the model, as the platform spells it."""

    platform: Literal["anthropic", "bedrock", "vertex", "foundry"] = "anthropic"
    """Where the model is reached; keys, region and project come from the environment."""

    base_url: str | None = None
    """Address of a gateway. None: the platform's own, or ANTHROPIC_BASE_URL."""

    effort: Effort | None = "high"
    """How much it thinks: `low`, `medium`, `high`, `xhigh` or `max`. None: the model's default."""

    max_turns: int = Field(default=20, ge=2)
    """Requests of one consultation, the answer included."""

    max_tool_calls: int = Field(default=40, ge=1)
    """Tools run in one consultation."""

    max_input_tokens: int = Field(default=800_000, ge=1_000)
    """Tokens read in one consultation, all requests added up, cached ones too."""

    max_output_tokens: int = Field(default=80_000, ge=1_000)
    """Tokens written in one consultation, thinking included."""

    max_dollars: float = Field(default=3.0, gt=0)
    """Cost of one consultation in US dollars. Cannot be held for a model without a known price:
    then the limits on tokens are what holds."""

    max_minutes: float = Field(default=10.0, gt=0)
    """Wall-clock minutes of one consultation."""

    max_retries: int = Field(default=2, ge=0)
    """How often one request is tried again when the platform is busy."""

    prices: Mapping[str, ModelPrice] = Field(default_factory=lambda: dict[str, ModelPrice]())
    """Prices by model id, in place of, or in addition to, the list prices that are built in."""

    def price(self) -> ModelPrice | None:
        """Of the chosen model; None when it is not known."""
        return {**PRICES, **self.prices}.get(self.model)
