"""What every command shares: how it speaks, and how it fails."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Any, ParamSpec

import click

from dagster_agent.errors import ConnectorError, DagsterAgentError

P = ParamSpec("P")


class Terminal:
    """Narrates to standard error, so that standard output stays clean for JSON.

    Args:
        quiet: Say nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, quiet=quiet, highlight=False)

    def step(self, what: str, *, why: str, result: str) -> None:
        """One line of what is done and why, one of what came of it. Redacted."""
        from rich.markup import escape

        from dagster_agent.privacy.redaction import redact

        self._console.print(
            f"[bold]{escape(redact(what))}[/bold] [dim]({escape(redact(why))})[/dim]"
        )
        self._console.print(f"  → {escape(redact(result))}")


def errors_for_people(command: Callable[P, None]) -> Callable[P, None]:
    """A user's mistake or a vendor's outage is one message and an exit code, no traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except DagsterAgentError as error:
            click.echo(f"error: {error.message}", err=True)
            if error.hint:
                click.echo(f"  next: {error.hint}", err=True)
            sys.exit(3 if isinstance(error, ConnectorError) else 2)

    return run


def print_json(document: Any) -> None:
    """One JSON document on standard output, for reading."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_line(record: Any) -> None:
    """One JSON document on one line."""
    click.echo(json.dumps(record, ensure_ascii=False))
