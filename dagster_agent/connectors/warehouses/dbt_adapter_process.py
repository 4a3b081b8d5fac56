"""The process behind `DbtAdapterWarehouse`: a dbt adapter, and nothing else of dbt.

Run as `python -m <this module> <file descriptor>`. dbt's adapters and flags are global to a
process, so a customer's dbt run never shares one with this. It refuses on its own whatever is not
a single SELECT, since the profile's role can usually write.

Messages both ways are tuples over a `multiprocessing` connection. The first to come is the target
and its dialect; then any number of

    ("query", sql, chunk)  ->  ("head", names, type names)
    ("next",)              ->  ("rows", [tuple, ...])  or  ("end",)

and in place of any answer ("error", message, SQLSTATE).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from time import sleep
from types import SimpleNamespace
from typing import Any, cast

Answer = tuple[Any, ...]

_SESSION = {"postgres": ("SET TRANSACTION READ ONLY", "SET LOCAL lock_timeout = '60s'")}
"""What a session is told before each statement, by dialect, where that makes it read-only."""
_PORTABLE = (bool, int, float, Decimal, str, bytes, date, datetime, time)


def main() -> None:
    """Serve until the parent closes its end or dies."""
    connection: Any = Connection(int(sys.argv[1]))
    os.dup2(2, 1)  # whatever an adapter prints
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()
    try:
        output, dialect = connection.recv()
        try:
            adapter = _adapter(output)
        except Exception as problem:
            connection.send(_error(problem))
            return
        connection.send(("ready",))
        _serve(connection, adapter, dialect)
    except (EOFError, BrokenPipeError):
        return


def _leave_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        sleep(1)
    os._exit(1)


def _serve(connection: Any, adapter: Any, dialect: str) -> None:
    answers: Generator[Answer] | None = None
    while True:
        request = connection.recv()
        if request[0] == "query":
            if answers is not None:
                answers.close()
            answers = query(adapter, dialect, sql=request[1], chunk=request[2])
        try:
            answer = next(answers, ("end",)) if answers is not None else ("end",)
        except Exception as problem:
            answers, answer = None, _error(problem)
        connection.send(answer)


def query(adapter: Any, dialect: str, *, sql: str, chunk: int) -> Generator[Answer]:
    """The head of a result, then its rows in chunks.

    Args:
        adapter: A dbt adapter.
        dialect: sqlglot's name of its SQL.
        sql: One SELECT.
        chunk: Rows of one answer.
    """
    from dagster_agent.sql.guard import read_only

    statement = read_only(sql, dialect)
    with adapter.connection_named("dagster_agent"):
        if hasattr(adapter.connections, "add_query"):
            yield from _from_cursor(adapter.connections, statement, dialect, chunk)
        else:
            yield from _from_table(adapter, statement, chunk)


def _from_cursor(connections: Any, statement: str, dialect: str, chunk: int) -> Generator[Answer]:
    for setting in _SESSION.get(dialect, ()):
        connections.add_query(setting, auto_begin=False)
    _, cursor = connections.add_query(statement, auto_begin=False)
    description = cursor.description or ()
    yield "head", [str(c[0]) for c in description], [_type(connections, c[1]) for c in description]
    while rows := cursor.fetchmany(chunk):
        yield "rows", [tuple(map(_portable, row)) for row in rows]


def _from_table(adapter: Any, statement: str, chunk: int) -> Generator[Answer]:
    """For adapters without cursors, such as BigQuery's: the whole result passes through memory."""
    _, table = adapter.execute(statement, fetch=True)
    yield "head", list(table.column_names), ["" for _ in table.column_names]
    for start in range(0, len(table.rows), chunk):
        yield "rows", [tuple(map(_portable, row)) for row in table.rows[start : start + chunk]]


def _type(connections: Any, code: Any) -> str:
    try:
        return str(connections.data_type_code_to_name(code))
    except Exception:  # adapters need not know how; some drivers hand out the name itself
        return "" if isinstance(code, int) else str(code)


def _portable(value: Any) -> Any:
    """Values of the standard library as they are, nested ones as JSON, others as their text."""
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, (memoryview, bytearray)):
        return bytes(cast("bytearray", value))
    if isinstance(value, (timedelta, tuple)) or (isinstance(value, time) and value.tzinfo):
        return str(cast("object", value))
    known = value is None or isinstance(value, _PORTABLE)
    return value if known else str(value)


def _adapter(output: Mapping[str, Any]) -> Any:
    factory: Any = importlib.import_module("dbt.adapters.factory")
    context: Any = importlib.import_module("dbt_common.context")
    comment: Any = importlib.import_module("dbt.adapters.contracts.connection")
    multiprocessing: Any = importlib.import_module("dbt.mp_context")
    context.set_invocation_context(os.environ)
    kind = str(output["type"])
    credentials: Any = factory.load_plugin(kind)
    fields = {key: value for key, value in output.items() if key not in {"type", "threads"}}
    data = credentials.translate_aliases(fields)
    credentials.validate(data)
    config = SimpleNamespace(
        credentials=credentials.from_dict(data),
        profile_name="dagster_agent",
        target_name="dagster_agent",
        project_name="dagster_agent",
        threads=1,
        query_comment=comment.QueryComment(),
        cli_vars={},
        target_path=tempfile.gettempdir(),
        log_cache_events=False,
    )
    adapter_class = factory.FACTORY.get_adapter_class_by_name(kind)
    return adapter_class(config, multiprocessing.get_mp_context())


def _error(problem: BaseException) -> Answer:
    """The message, and the SQLSTATE of the driver's own error behind it."""
    cause: BaseException | None = problem
    while cause is not None:
        state = getattr(cause, "pgcode", None) or getattr(cause, "sqlstate", None)
        if state:
            return "error", str(problem), str(state)
        cause = cause.__cause__ or cause.__context__
    return "error", str(problem), ""


if __name__ == "__main__":
    main()
