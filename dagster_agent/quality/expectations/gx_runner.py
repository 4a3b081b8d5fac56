"""Great Expectations itself, for what has no SQL here: on fetched rows, or in the warehouse.

Nothing of a customer's GX project is touched: the context lives in memory, no data docs are
written, analytics and progress bars are off. The package is imported at the first call and ships no
usable types, which is why all that is known of it stands in this file.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError
from dagster_agent.privacy.masking import TEXT
from dagster_agent.quality.expectations.compiling import ONLY_GX, unknown_type
from dagster_agent.quality.expectations.declared import DeclaredExpectation
from dagster_agent.quality.expectations.expectation import (
    EvaluatedBy,
    Outcome,
)
from dagster_agent.quality.table import PromisedTable

_ANALYTICS = "GX_ANALYTICS_ENABLED"
_BATCH = "gx_batch_of_rows"
"""Stands for `{batch}`, which Great Expectations fills in, while a query is checked."""
_PORT = 5432
_QUIET = {"globally": False, "metric_calculations": False}


def evaluate_frame(
    declared: Sequence[DeclaredExpectation], frame: Any
) -> list[Outcome | DagsterAgentError]:
    """What Great Expectations says of rows in a pandas frame, in the order given.

    Raises:
        ConfigError: The package is not installed.
    """
    with _context() as context:
        source = context.data_sources.add_pandas("fetched")
        definition = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
        batch = definition.get_batch({"dataframe": frame})
        return [_evaluate(each, batch, EvaluatedBy.GX_PANDAS) for each in declared]


def evaluate_postgres(
    declared: Sequence[DeclaredExpectation], table: PromisedTable, url: str
) -> list[Outcome | DagsterAgentError]:
    """What Great Expectations says of a PostgreSQL table, evaluated there in read-only sessions.

    Queries among the arguments pass the read-only guard first: the session's mode alone is a
    default that a statement can switch off.

    Args:
        declared: What is expected.
        table: Of which table.
        url: As of `postgres_url`.

    Raises:
        ConfigError: The package is not installed.
        ConnectorError: The warehouse does not answer.
    """
    relation = table.schema.relation
    with _context() as context:
        try:
            source = context.data_sources.add_postgres(
                "warehouse",
                connection_string=url,
                create_temp_table=False,
            )
            asset = source.add_table_asset(
                "rows", table_name=relation.name, schema_name=relation.schema
            )
            batch = asset.add_batch_definition_whole_table("all").get_batch()
        except Exception as error:
            raise ConnectorError(
                f"Great Expectations could not read {relation}: {_first_line(error)}",
                hint="the same table is read by SQL that is compiled here where that is possible",
            ) from error
        return [_evaluate_guarded(each, batch) for each in declared]


def postgres_url(output: Mapping[str, Any]) -> str | None:
    """The SQLAlchemy URL of a rendered dbt target; None of other warehouses.

    Every session is read-only: the server refuses whatever would write.
    """
    if output.get("type") != "postgres":
        return None
    database = str(output.get("dbname") or output.get("database") or "")
    host, port = str(output.get("host") or "localhost"), output.get("port")
    # a folder of sockets is no host of a URL: there it has to be a parameter
    parameters = {
        "host": host if host.startswith("/") else "",
        "sslmode": str(output.get("sslmode") or ""),
        "options": "-c default_transaction_read_only=on",
    }
    given = {name: value for name, value in parameters.items() if value}
    query = urlencode(given, quote_via=quote)
    user = quote(str(output.get("user") or ""), safe="")
    password = quote(str(output.get("password") or output.get("pass") or ""), safe="")
    place = f"{'localhost' if host.startswith('/') else host}:{port or _PORT}"
    return f"postgresql+psycopg2://{user}:{password}@{place}/{quote(database, safe='')}?{query}"


@contextmanager
def _context() -> Generator[Any]:
    """An ephemeral context."""
    with quiet():
        try:
            import great_expectations
        except ImportError as error:
            raise ConfigError(
                f"great_expectations cannot be imported: {error}",
                hint="pip install 'dagster-agent[gx]'",
            ) from error
        package: Any = great_expectations
        context: Any = package.get_context(mode="ephemeral")
        context.variables.progress_bars = _QUIET
        yield context


@contextmanager
def quiet() -> Generator[None]:
    """Without analytics, and without warnings about Great Expectations' own deprecations.

    What the environment says of analytics is as before afterwards.
    """
    before = os.environ.get(_ANALYTICS)
    os.environ[_ANALYTICS] = "false"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if before is None:
            del os.environ[_ANALYTICS]
        else:
            os.environ[_ANALYTICS] = before


def _evaluate_guarded(declared: DeclaredExpectation, batch: Any) -> Outcome | DagsterAgentError:
    from dagster_agent.sql.guard import read_only

    arguments = dict(declared.kwargs)
    try:
        for name, value in arguments.items():
            if "query" in name and isinstance(value, str):
                text = value.rstrip().rstrip(";").replace("{batch}", _BATCH)
                arguments[name] = read_only(text, "postgres").replace(_BATCH, "{batch}")
    except DagsterAgentError as error:
        return error
    return _evaluate(replace(declared, kwargs=arguments), batch, EvaluatedBy.GX_SQLALCHEMY)


def _evaluate(
    declared: DeclaredExpectation, batch: Any, by: EvaluatedBy
) -> Outcome | DagsterAgentError:
    try:
        expectation = _built(declared)
    except DagsterAgentError as error:
        return error
    try:
        found = batch.validate(expectation, result_format="BASIC")
    except Exception as error:  # whatever a plug-in expectation raises must not stop the others
        told = _without_values(_first_line(error))
        return ConfigError(f"{declared.type} failed in Great Expectations: {told}")
    return outcome_of(found.to_json_dict(), declared, by)


def _built(declared: DeclaredExpectation) -> Any:
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        configuration = ExpectationConfiguration(type=declared.type, kwargs=dict(declared.kwargs))
        return configuration.to_domain_obj()
    except ExpectationNotFoundError:
        return _raise(unknown_type(declared.type))
    except Exception as error:  # pydantic's, of a version that GX carries with it
        known = declared.type in ONLY_GX
        raise ConfigError(
            f"{declared.type} has wrong arguments: {_first_line(error)}",
            hint="see its arguments in the gallery of Great Expectations" if known else "",
        ) from error


def _raise(error: DagsterAgentError) -> Any:
    raise error


def outcome_of(
    found: Mapping[str, Any], declared: DeclaredExpectation, by: EvaluatedBy
) -> Outcome | DagsterAgentError:
    """A validation result of Great Expectations as an outcome.

    Args:
        found: As `ExpectationValidationResult.to_json_dict` gives it.
        declared: Its expectation.
        by: Which way it was evaluated.
    """
    result: Mapping[str, Any] = found.get("result") or {}
    trouble = _exception(found.get("exception_info") or {})
    if trouble:
        return ConfigError(
            f"{declared.type} could not be evaluated by Great Expectations: {trouble}"
        )
    elements, missing = result.get("element_count"), result.get("missing_count") or 0
    observed: object = result.get("observed_value")
    return Outcome(
        success=bool(found.get("success")),
        evaluated_by=by,
        examined=elements - missing if isinstance(elements, int) else None,
        unexpected=result.get("unexpected_count"),
        observed=observed if isinstance(observed, int | float | str) else None,
        observed_column=declared.about if isinstance(observed, str) else "",
    )


def _exception(info: Mapping[str, Any]) -> str:
    """The message of what went wrong; empty when nothing did. One, or one for each metric."""
    each: list[Mapping[str, Any]] = [info]
    if "raised_exception" not in info:
        each = [one for one in info.values() if hasattr(one, "get")]
    for told in each:
        if told.get("raised_exception"):
            return _without_values(_first_line(told.get("exception_message")))
    return ""


def _without_values(message: str) -> str:
    """An error that was raised over rows may quote a value of one."""
    return re.sub(r"""(['"]).*?\1""", TEXT, message)


def _first_line(error: object) -> str:
    return (str(error).strip() or type(error).__name__).split("\n", 1)[0][:300]
