"""Every error of the library, sorted by who must react to it.

An error always names the offending value in its message and carries a `hint`: the next step for
the person who reads it. Vendor exceptions are translated into these at the border (`connectors/`).
"""

from __future__ import annotations


class DagsterAgentError(Exception):
    """Root of all errors raised on purpose.

    Args:
        message: What is wrong, naming the offending value.
        hint: The next step, as an instruction. Empty only where there is none.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(DagsterAgentError):
    """A setting, file or argument of the customer's is wrong. The customer reacts."""


class ConnectorError(DagsterAgentError):
    """A warehouse, code host or other vendor did not answer as needed. The vendor reacts.

    Args:
        message: What failed, naming the connector and the object.
        hint: The next step.
        retryable: Whether the same call may go through later.
    """

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class QueryRefused(DagsterAgentError):
    """The read-only guard refused a statement; nothing was sent to the warehouse."""


class ApprovalRequired(DagsterAgentError):
    """The autonomy policy wants a person's decision first."""


class LeaseHeld(DagsterAgentError):
    """Another run works on the same thing; try again when its lease has expired."""


class InvestigationStopped(DagsterAgentError):
    """A person told a running investigation to stop. Nothing went wrong."""
