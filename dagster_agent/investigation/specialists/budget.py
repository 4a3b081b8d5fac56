"""`Budget`: may another request be sent, and how long may its answer be?

Asked before each request, with what the request may cost at the most, and always leaving enough
for one last request that asks for the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from dagster_agent.investigation.specialists.config import ClaudeConfig
from dagster_agent.investigation.specialists.consultation import Usage
from dagster_agent.ports.chat_model import TokenUsage

TURN_TOKENS = 16_000
"""Most output tokens of one turn."""
ANSWER_TOKENS = 6_000
"""Output tokens kept for the answer."""
_LEAST_TOKENS = 500
"""A turn with less room for output is not worth asking for."""
_GROWTH = 6_000
"""Input tokens by which a conversation usually grows in a turn."""
_ANSWER_SECONDS = 60.0


class Budget:
    """What was spent of a configuration's limits.

    Args:
        config: Limits and prices.
        clock: Seconds of a clock that never goes back.
    """

    def __init__(
        self, config: ClaudeConfig, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._price = config.price()
        self._clock = clock
        self._started = clock()
        self._turns = self._calls = 0
        self._input = self._output = self._cache_read = 0
        self._dollars = 0.0

    def spend(self, used: TokenUsage) -> None:
        """Count a request that was answered."""
        self._turns += 1
        self._input += used.all_input_tokens
        self._output += used.output_tokens
        self._cache_read += used.cache_read_tokens
        self._dollars += self._cost(used)

    def spend_call(self) -> bool:
        """Count a tool call; False when it is one too many."""
        if self._calls >= self._config.max_tool_calls:
            return False
        self._calls += 1
        return True

    def obstacle(self, context: int, *, last: bool) -> str:
        """The limit that another request would pass; empty when it may be sent.

        Args:
            context: Input tokens of the request, as far as they can be told.
            last: It asks for the answer; else room for asking afterwards is kept.
        """
        config = self._config
        turns = self._turns + (1 if last else 2)
        if turns > config.max_turns:
            return f"max_turns {config.max_turns}"
        tokens = self._input + (context if last else 2 * context + _GROWTH)
        if tokens > config.max_input_tokens:
            return f"max_input_tokens {config.max_input_tokens:,}"
        if self.allowance(last=last) < _LEAST_TOKENS:
            return f"max_output_tokens {config.max_output_tokens:,}"
        if self._price is not None and self._worst(context, last=last) > config.max_dollars:
            return f"max_dollars {config.max_dollars:g}"
        if self.seconds_left(last=last) <= 0:
            return f"max_minutes {config.max_minutes:g}"
        return ""

    def allowance(self, *, last: bool) -> int:
        """Most output tokens of the next request."""
        left = self._config.max_output_tokens - self._output - (0 if last else ANSWER_TOKENS)
        return max(0, min(TURN_TOKENS, left))

    def seconds_left(self, *, last: bool) -> float:
        """Seconds that the next request may take."""
        limit = self._config.max_minutes * 60
        kept = 0.0 if last else min(_ANSWER_SECONDS, limit / 4)
        return limit - (self._clock() - self._started) - kept

    def usage(self) -> Usage:
        """What was used so far."""
        return Usage(
            turns=self._turns,
            input_tokens=self._input,
            output_tokens=self._output,
            cache_read_tokens=self._cache_read,
            cost_usd=None if self._price is None else round(self._dollars, 6),
            seconds=round(self._clock() - self._started, 3),
            tool_calls=self._calls,
        )

    def _worst(self, context: int, *, last: bool) -> float:
        """Dollars spent after the next request, if nothing is cached and all is written."""
        answer = TokenUsage(
            input_tokens=0, cache_write_tokens=context, output_tokens=self.allowance(last=last)
        )
        total = self._dollars + self._cost(answer)
        if not last:
            after = TokenUsage(
                input_tokens=0,
                cache_write_tokens=context + _GROWTH,
                output_tokens=ANSWER_TOKENS,
            )
            total += self._cost(after)
        return total

    def _cost(self, used: TokenUsage) -> float:
        price = self._price
        if price is None:
            return 0.0
        read = price.input / 10 if price.cache_read is None else price.cache_read
        write = price.input * 1.25 if price.cache_write is None else price.cache_write
        millionths = (
            used.input_tokens * price.input
            + used.cache_read_tokens * read
            + used.cache_write_tokens * write
            + used.output_tokens * price.output
        )
        return millionths / 1e6
