"""Checkpoints of the customer's own Great Expectations project: run as they are, and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError

if TYPE_CHECKING:
    from dagster_agent.quality.expectations.declared import DeclaredExpectation
    from dagster_agent.quality.expectations.engine import Found


def checkpoint_expectations(
    checkpoint: Any, where: str
) -> list[DeclaredExpectation | DagsterAgentError]:
    """The expectations of all validation definitions of a `Checkpoint`, each with the one it is of.

    Args:
        checkpoint: The customer's.
        where: Whose expectations they are, for error messages.

    Raises:
        ConfigError: It is a callable, or something else that does not tell them.
    """
    from dagster_agent.quality.expectations.declared import read_all

    definitions = _validations(checkpoint)
    if definitions is None:
        raise ConfigError(
            f"{checkpoint!r:.200} does not tell its expectations before it runs",
            hint="give a Checkpoint, or suite= beside the callable",
        )
    return [
        each if isinstance(each, DagsterAgentError) else replace(each, validation=definition.name)
        for definition in definitions
        for each in read_all(tuple(definition.suite.expectations), where)
    ]


def checkpoint_results(
    checkpoint: Any, declared: Sequence[DeclaredExpectation | DagsterAgentError]
) -> list[Found]:
    """Run it, and find each expectation's result by type and arguments, in the order given.

    Only in its own validation definition, where it is of one: two tables may be promised the same.

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
    names = {each.id: each.name for each in _validations(checkpoint) or ()}
    found = [
        (names.get(suite.meta.get("validation_id"), ""), cast("Mapping[str, Any]", told))
        for suite in result.run_results.values()
        for told in (each.to_json_dict() for each in suite.results)
    ]
    return [_result_of(each, found) for each in declared]


def _validations(checkpoint: Any) -> Sequence[Any] | None:
    found: object = getattr(checkpoint, "validation_definitions", None)
    return cast("Sequence[Any]", found) if isinstance(found, list | tuple) else None


def _result_of(
    declared: DeclaredExpectation | DagsterAgentError,
    found: Sequence[tuple[str, Mapping[str, Any]]],
) -> Found:
    from dagster_agent.quality.expectations.expectation import EvaluatedBy
    from dagster_agent.quality.expectations.gx_runner import outcome_of

    if isinstance(declared, DagsterAgentError):
        return declared
    fitting = [
        each
        for validation, each in found
        if declared.validation in ("", validation) and _is_of(each, declared)
    ]
    if fitting:
        # a suite that several batches were validated by is kept only where all of them keep it
        worst = min(fitting, key=lambda each: bool(each.get("success")))
        return outcome_of(worst, declared, EvaluatedBy.GX_CHECKPOINT)
    of = f" in its validation {declared.validation!r}" if declared.validation else ""
    return ConfigError(
        f"the checkpoint has no result of {declared.type} on {declared.about or 'the table'}{of}",
        hint="the suite is not the one that the checkpoint validates, or two of its validation"
        " definitions have the same suite and batch, of which it keeps one result",
    )


def _is_of(found: Mapping[str, Any], declared: DeclaredExpectation) -> bool:
    config = cast("Mapping[str, Any]", found.get("expectation_config") or {})
    given = _arguments(cast("Mapping[str, Any]", config.get("kwargs") or {}))
    return config.get("type") == declared.type and given == _arguments(declared.kwargs)


def _arguments(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments apart from the batch, which is only known when it has run."""
    return {name: value for name, value in kwargs.items() if name != "batch_id"}
