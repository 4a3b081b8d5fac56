"""What servers that speak SQLSTATE say, in our own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dagster_agent.errors import ConnectorError
from dagster_agent.privacy.redaction import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One row of a connector's table: what the server says, and what it means to the reader."""

    states: tuple[str, ...] = ()
    """SQLSTATEs, or their first characters."""
    pattern: str = ""
    """Regular expression found in the message, letter case ignored; for errors without a state.
    A row with both matches by either."""
    message: str
    """What to say; `{said}` is the server's own first line."""
    hint: str
    """The next step."""
    retryable: bool = False
    """Whether the same call may go through later."""

    def fits(self, state: str, text: str) -> bool:
        """Whether the row tells this error."""
        if state and state.startswith(self.states or "-"):
            return True
        return bool(self.pattern and re.search(self.pattern, text, re.IGNORECASE))


def translated(
    table: Sequence[Trouble],
    problem: BaseException,
    *,
    state: str,
    name: str,
    secrets: Sequence[str],
    seconds: float,
) -> ConnectorError:
    """The first row that fits, or the server's own words.

    Args:
        table: The connector's table.
        problem: What the driver raised.
        state: Its SQLSTATE; empty where it has none.
        name: The warehouse's name.
        secrets: Values that must not be shown.
        seconds: Time limit of a statement, for `{seconds}` in a row's texts.
    """
    text = str(problem)
    said = redact(spoken(text), secrets=secrets)
    for row in table:
        if row.fits(state, text):
            message = row.message.replace("{said}", said).replace("{seconds}", f"{seconds:g}")
            return ConnectorError(f"{name}: {message}", hint=row.hint, retryable=row.retryable)
    return ConnectorError(f"{name}: {said}", hint="the server refused the statement; see its words")


def spoken(text: str) -> str:
    """The message in one line, without the statement and the driver's frame around it."""
    text = re.split(r"\n\s*Query was: |\n\s*LINE \d+:|\n\s*CONTEXT:", text)[0]
    text = re.sub(r"^.*?\b(?:ERROR|FATAL):\s+|\s*\. SQLSTATE: \w+\s*$", "", text, flags=re.DOTALL)
    text = re.sub(r"^(?:Database|Runtime) Error\s+", "", text)
    text = re.sub(r"^\d+ \(\w{5}\): (?:[\w-]{36}: )?(?:\w+: )?", "", text)
    return " ".join(text.split())
