"""What servers that speak SQLSTATE say, in our own words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dagster_agent.errors import ConnectorError
from dagster_agent.privacy.redaction import redact

_NAMES = re.compile(r"\"[^\"\n]*\"|`[^`\n]*`|(?<![\w(])(?<!, )'[^'\n]*'(?!\w)")
"""Names and values in quotes. An apostrophe is no quote; behind `(` or a comma a driver quotes the
words of another error: `('Connection aborted.', ConnectionResetError(104, '...'))`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One row of a connector's table: what the server says, and what it means to the reader."""

    states: tuple[str, ...] = ()
    """SQLSTATEs, or their first characters, that mean this and nothing else."""
    vague_states: tuple[str, ...] = ()
    """Those that the server sends for other troubles too: they decide where no words do."""
    pattern: str = ""
    """Regular expression found in the server's words, letter case ignored; names in quotes, which
    are the customer's, are not searched."""
    message: str
    """What to say; `{said}` is the server's own first line."""
    hint: str
    """The next step."""
    retryable: bool = False
    """Whether the same call may go through later."""


def translated(
    table: Sequence[Trouble],
    problem: BaseException,
    *,
    state: str,
    name: str,
    secrets: Sequence[str],
    seconds: float,
) -> ConnectorError:
    """What the table says of it, or the server's own words.

    A row without any state goes by its words alone, before all others: such words are said under
    whatever state. Else a known state decides, then words, then a vague state; first row first.

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
    row = _fitting(table, state, text)
    if row is None:
        hint = "the server refused the statement; see its words"
        return ConnectorError(f"{name}: {said}", hint=hint)
    message = row.message.replace("{said}", said).replace("{seconds}", f"{seconds:g}")
    return ConnectorError(f"{name}: {message}", hint=row.hint, retryable=row.retryable)


def _fitting(table: Sequence[Trouble], state: str, text: str) -> Trouble | None:
    words = _NAMES.sub(lambda name: name[0][0] * 2, _without_statement(text))
    told = [row for row in table if row.pattern and re.search(row.pattern, words, re.IGNORECASE)]
    ways = (
        (row for row in told if not row.states and not row.vague_states),
        (row for row in table if state.startswith(row.states)),
        iter(told),
        (row for row in table if state.startswith(row.vague_states)),
    )
    return next(itertools.chain.from_iterable(ways), None)


def spoken(text: str) -> str:
    """The message in one line, without the statement and the driver's frame around it."""
    text = _without_statement(text)
    text = re.sub(r"^.*?\b(?:ERROR|FATAL):\s+|\s*\. SQLSTATE: \w+\s*$", "", text, flags=re.DOTALL)
    text = re.sub(r"^(?:Database|Runtime) Error\s+", "", text)
    text = re.sub(r"^\d+ \(\w{5}\): (?:[\w-]{36}: )?(?:\w+: )?", "", text)
    return " ".join(text.split())


def _without_statement(text: str) -> str:
    return re.split(r"\n\s*Query was: |\n\s*LINE \d+:|\n\s*CONTEXT:", text)[0]
