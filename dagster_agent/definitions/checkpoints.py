"""Checkpoints of the customer's own Great Expectations project: run as they are, and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError

if TYPE_CHECKING:
    from dagster_agent.quality.expectations.declared import DeclaredExpectation
    from dagster_agent.quality.expectations.engine import Found


def checkpoint_suites(checkpoint: Any) -> tuple[object, ...]:
    """The expectations of all validation definitions of a `Checkpoint`, not read yet.

    Raises:
        ConfigError: It is a callable, or something else that does not tell them.
    """
    definitions: object = getattr(checkpoint, "validation_definitions", None)
    if not isinstance(definitions, list | tuple):
        raise ConfigError(
            f"{checkpoint!r:.200} does not tell its expectations before it runs",
            hint="give a Checkpoint, or suite= beside the callable",
        )
    return tuple(
        expectation
        for definition in cast("Sequence[Any]", definitions)
        for expectation in definition.suite.expectations
    )


def checkpoint_results(
    checkpoint: Any, declared: Sequence[DeclaredExpectation | DagsterAgentError]
) -> list[Found]:
    """Run it, and find each expectation's result by type and arguments, in the order given.

    Raises:
        ConnectorError: It failed as a whole.
    """
    from dagster_agent.quality.expectations.gx_runner import quiet

    run = getattr(checkpoint, "run", checkpoint)
    try:
        with quiet():
            result = run()
    except Exception as error:
        raise ConnectorError(
            f"the checkpoint failed: {type(error).__name__}: {error}",
            hint="run it by itself: what it raises there is its own",
        ) from error
    found = [
        cast("Mapping[str, Any]", each.to_json_dict())
        for suite in result.run_results.values()
        for each in suite.results
    ]
    return [_result_of(each, found) for each in declared]


def _result_of(
    declared: DeclaredExpectation | DagsterAgentError, found: Sequence[Mapping[str, Any]]
) -> Found:
    from dagster_agent.quality.expectations.expectation import EvaluatedBy
    from dagster_agent.quality.expectations.gx_runner import outcome_of

    if isinstance(declared, DagsterAgentError):
        return declared
    for each in found:
        config = cast("Mapping[str, Any]", each.get("expectation_config") or {})
        given = _arguments(cast("Mapping[str, Any]", config.get("kwargs") or {}))
        if config.get("type") == declared.type and given == _arguments(declared.kwargs):
            return outcome_of(each, declared, EvaluatedBy.GX_CHECKPOINT)
    return ConfigError(
        f"the checkpoint has no result of {declared.type} on {declared.about or 'the table'}",
        hint="the suite is not the one that the checkpoint validates",
    )


def _arguments(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments apart from the batch, which is only known when it has run."""
    return {name: value for name, value in kwargs.items() if name != "batch_id"}
