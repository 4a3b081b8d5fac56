"""Inputs and outputs of which an op has hundreds, all alike but for their names.

A check is an output of an op, and the asset that it judges is an input. A location has tens of
thousands of them, and Dagster looks at the type, the metadata and the name of each one anew, which
was most of what the agent took at load. Here it looks at one, and the others are its copies.
"""

from __future__ import annotations

from copy import copy

import dagster as dg
from dagster._core.definitions.input import InputDefinition
from dagster._core.definitions.output import OutputDefinition

_INPUT = dg.In(dg.Nothing).to_definition("alike")
_OUTPUT = dg.Out(None, is_required=False).to_definition(type(None), "alike", None, None)


class OrderIn(dg.In):
    """An input that carries nothing and only puts ops in order."""

    def to_definition(self, name: str) -> InputDefinition:
        """The input of that name."""
        made = copy(_INPUT)
        made._name = name  # pyright: ignore[reportPrivateUsage] # it cannot be named otherwise
        return made


class CheckOut(dg.Out):
    """An output of any type that need not be given: one of a run's checks."""

    def to_definition(
        self,
        annotation_type: type,  # noqa: ARG002 - it is of any type
        name: str | None,
        description: str | None,  # noqa: ARG002 - the check has one
        code_version: str | None,  # noqa: ARG002 - the op has none
    ) -> OutputDefinition:
        """The output of that name; unlike Dagster's own it does not look whether it is valid."""
        made = copy(_OUTPUT)
        if name is not None:
            made._name = name  # pyright: ignore[reportPrivateUsage] # it cannot be named otherwise
        return made
