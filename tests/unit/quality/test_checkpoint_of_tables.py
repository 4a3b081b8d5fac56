"""A checkpoint that promises the same of several tables: each check shows its own table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_agent.definitions.checkpoints import checkpoint_expectations, checkpoint_results
from dagster_agent.errors import DagsterAgentError
from dagster_agent.quality.expectations.declared import read_all
from dagster_agent.quality.expectations.expectation import Outcome
from dagster_agent.quality.expectations.gx_runner import quiet

TABLES = {"orders": "id\n1\n2\n", "refunds": "id,note\n1,x\n,y\n"}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Any:
    """Both tables' validation definitions share one suite; the second table breaks it."""
    with quiet():
        import great_expectations

        gx: Any = great_expectations
        context = gx.get_context(mode="ephemeral")
        source = context.data_sources.add_pandas("files")
        suite = context.suites.add(gx.ExpectationSuite(name="keyed"))
        suite.add_expectation(gx.expectations.ExpectColumnValuesToNotBeNull(column="id"))
        validations: list[Any] = []
        for name, text in TABLES.items():
            path = tmp_path / f"{name}.csv"
            path.write_text(text)
            table = source.add_csv_asset(name, path).add_batch_definition("whole")
            validation = gx.ValidationDefinition(name=name, data=table, suite=suite)
            validations.append(context.validation_definitions.add(validation))
        return context.checkpoints.add(
            gx.Checkpoint(name="nightly", validation_definitions=validations)
        )


def kept(found: list[Outcome | DagsterAgentError]) -> list[bool]:
    assert all(isinstance(each, Outcome) for each in found), found
    return [each.success for each in found if isinstance(each, Outcome)]


def test_the_same_promise_of_two_tables_is_judged_on_each(checkpoint: Any) -> None:
    declared = checkpoint_expectations(checkpoint, "orders")
    assert kept(checkpoint_results(checkpoint, declared)) == [True, False]
    assert kept(checkpoint_results(checkpoint, declared[1:])) == [False]
    says = [each.says for each in declared if not isinstance(each, DagsterAgentError)]
    assert says == [
        "id: values to not be null (validation orders)",
        "id: values to not be null (validation refunds)",
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_a_suite_of_several_batches_is_kept_only_by_all(checkpoint: Any, turned: bool) -> None:
    if turned:
        checkpoint.validation_definitions.reverse()
        checkpoint.save()
    run: Callable[[], Any] = checkpoint.run
    suite = list(checkpoint.validation_definitions[0].suite.expectations)
    assert kept(checkpoint_results(run, read_all(suite, "orders"))) == [False]


def test_a_validation_whose_result_was_lost_is_not_green(checkpoint: Any) -> None:
    first, _ = checkpoint.validation_definitions
    declared = checkpoint_expectations(checkpoint, "orders")
    checkpoint.validation_definitions[:] = [first]
    checkpoint.save()
    there, lost = checkpoint_results(checkpoint, declared)
    assert isinstance(there, Outcome)
    assert isinstance(lost, DagsterAgentError)
    assert "in its validation 'refunds'" in lost.message
