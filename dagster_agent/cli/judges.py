"""`classify`, `guard`, `redact`, `pii`: one text, or thousands of JSON lines in one process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

import click

from dagster_agent.cli.terminal import errors_for_people, print_json, print_line
from dagster_agent.errors import ConfigError

Record = Mapping[str, Any]
_DIALECTS = ("duckdb", "postgres", "snowflake", "bigquery", "redshift", "databricks")
_lines = click.option(
    "--jsonl",
    "lines",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Judge JSON lines from FILE, or from standard input; one line out for each.",
)
_json = click.option("--json", "as_json", is_flag=True, help="The answer as JSON.")


@click.command()
@click.argument("text", required=False)
@_json
@_lines
@errors_for_people
def classify(text: str | None, as_json: bool, lines: str | None) -> None:
    """Say what kind of failure an error message or a log tells of (TEXT, or standard input)."""
    from dagster_agent.investigation.classification import classification_json
    from dagster_agent.investigation.classification import classify as judge
    from dagster_agent.response.engine_contract import failure_json

    if lines:
        _each(
            lines,
            lambda record: classification_json(
                cast("str", record["id"]), judge(_text(record, "text"))
            ),
        )
        return
    failure = judge(_given(text))
    if as_json:
        print_json(failure_json(failure))
        return
    kept = "retryable" if failure.retryable else "not retryable"
    rule = f" by {failure.rule}" if failure.rule else ""
    click.echo(f"{failure.failure_class} ({failure.confidence:.2f}, {kept}){rule}")
    if failure.excerpt:
        click.echo(f"  {failure.excerpt}")


@click.command()
@click.argument("sql", required=False)
@click.option("--dialect", default="duckdb", show_default=True, help=", ".join(_DIALECTS))
@click.option("--relation", "relations", multiple=True, help="What may be read; repeat it.")
@_json
@_lines
@errors_for_people
def guard(
    sql: str | None, dialect: str, relations: tuple[str, ...], as_json: bool, lines: str | None
) -> None:
    """Say whether a statement only reads (SQL, or standard input), and only what may be read."""
    if lines:
        _each(lines, _guard_record)
        return
    verdict = _guarded(_given(sql), dialect, relations or None)
    if as_json:
        print_json(verdict)
    else:
        click.echo("allowed" if verdict["allowed"] else f"refused: {verdict['reason']}")


@click.command()
@click.argument("text", required=False)
@_json
@_lines
@errors_for_people
def redact(text: str | None, as_json: bool, lines: str | None) -> None:
    """Take secrets out of a text (TEXT, or standard input)."""
    from dagster_agent.privacy.redaction import redact as clean

    if lines:
        _each(
            lines,
            lambda record: {"id": record["id"], "text": clean(_text(record, "text"))},
        )
        return
    cleaned = clean(_given(text))
    if as_json:
        print_json({"text": cleaned})
    else:
        click.echo(cleaned, nl=not cleaned.endswith("\n"))


@click.command()
@click.option("--table", default="", help="Table that the column belongs to.")
@click.option("--column", help="The column's name.")
@click.option("--type", "kind", default="", help="Its type in the warehouse's words.")
@click.option("--value", "values", multiple=True, help="A sample value; repeat it.")
@_json
@_lines
@errors_for_people
def pii(
    table: str,
    column: str | None,
    kind: str,
    values: tuple[str, ...],
    as_json: bool,
    lines: str | None,
) -> None:
    """Say whether a column holds personal data, by its name, its type and sample values."""
    if lines:
        _each(lines, _pii_record)
        return
    if not column:
        raise ConfigError(
            "no column is given", hint="name it with --column, or give JSON lines with --jsonl"
        )
    record = {"id": "", "table": table, "column": column, "type": kind, "values": list(values)}
    verdict = _pii_record(record)
    del verdict["id"]
    if as_json:
        print_json(verdict)
    elif verdict["pii"]:
        click.echo(f"personal data: {verdict['kind']} ({verdict['confidence']:.2f})")
    else:
        click.echo(f"no personal data ({verdict['confidence']:.2f})")


def _guard_record(record: Record) -> dict[str, Any]:
    given = record.get("relations")
    if given is not None and not isinstance(given, list):
        raise ConfigError(f"relations is {given!r}", hint="give a list of names, or leave it away")
    relations = None if given is None else [str(r) for r in cast("list[object]", given)]
    dialect = str(record.get("dialect") or "duckdb")
    return {"id": record["id"], **_guarded(_text(record, "text"), dialect, relations)}


def _guarded(sql: str, dialect: str, relations: Sequence[str] | None) -> dict[str, Any]:
    from dagster_agent.sql.guard import judge

    verdict = judge(sql, dialect, relations)
    return {"allowed": verdict.allowed, "reason": verdict.reason}


def _pii_record(record: Record) -> dict[str, Any]:
    from dagster_agent.privacy.personal import judge_column

    values = record.get("values")
    if values is not None and not isinstance(values, list):
        raise ConfigError(f"values is {values!r}", hint="give a list, or leave it away")
    found = judge_column(
        str(record.get("table") or ""),
        _text(record, "column"),
        str(record.get("type") or ""),
        cast("list[Any]", values or []),
    )
    return {
        "id": record["id"],
        "pii": found.pii,
        "kind": found.kind,
        "confidence": found.confidence,
    }


def _given(text: str | None) -> str:
    if text is not None:
        return text
    if sys.stdin.isatty():
        raise ConfigError("no text is given", hint="give it as the argument or on standard input")
    return sys.stdin.buffer.read().decode("utf-8", errors="replace")


def _text(record: Record, field: str) -> str:
    value = record.get(field)
    if not isinstance(value, str):
        raise ConfigError(f"{field} is {value!r}", hint=f"give a text as {field!r}")
    return value


def _each(source: str, judge: Callable[[Record], Mapping[str, Any]]) -> None:
    """Answer every line; a line that cannot be judged is answered with its error, and counted."""
    broken = 0
    with _opened(source) as stream:
        for number, record in _records(stream):
            try:
                if isinstance(record, ConfigError):
                    raise record
                print_line(judge(record))
            except ConfigError as error:
                broken += 1
                name = None if isinstance(record, ConfigError) else record.get("id")
                print_line({"id": name, "error": f"line {number}: {error.message}"})
    if broken:
        raise ConfigError(
            f"{broken} lines could not be judged", hint="look for `error` in the output"
        )


def _records(stream: IO[bytes]) -> Iterator[tuple[int, Record | ConfigError]]:
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            yield number, ConfigError(f"no JSON: {error}")
            continue
        if isinstance(record, dict) and "id" in record:
            yield number, cast("Record", record)
        else:
            yield number, ConfigError("no object with an `id`")


def _opened(source: str) -> IO[bytes]:
    if source == "-":
        return sys.stdin.buffer
    try:
        return Path(source).open("rb")
    except OSError as error:
        raise ConfigError(f"{source} cannot be read: {error.strerror}") from error
