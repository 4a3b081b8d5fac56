"""The process behind `DbtWorker`: reads requests as JSON lines, runs dbt, writes the outcomes.

It is run as a file of its own and imports nothing of the library, so it starts as fast as dbt does.
Requests come on standard input. Answers go to what was standard output when it started; whatever
dbt, its adapters or Python models print goes to standard error.

    {"args": ["build", ...], "folder": "/...", "environment": {...}}
        ->  {"success": true, "error": "", "log": [...], "results": [...]}
    {"rest": 60}  ->  no answer; it ends when no request comes within so many seconds
    {}            ->  {"ready": true}
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any, TextIO

_LOG_LINES = 400
_STATUSES = {"runtime error": "error", "partial success": "error"}


def main() -> None:
    """Serve requests until the parent closes the pipe or dies."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    waiting: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=_read, args=(requests, waiting), daemon=True).start()
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()
    try:
        importlib.import_module("dbt.cli.main")
    except ImportError as error:
        _answer(answers, {"ready": False, "error": str(error)})
        return
    _answer(answers, {"ready": True})
    known, places = set(sys.modules), list(sys.path)
    rest: float | None = None
    while True:
        try:
            request = waiting.get(timeout=rest)
        except Empty:
            os._exit(0)
        rest = request.get("rest")
        if "args" in request:
            _answer(answers, _run(**request))
            _forget_modules(known, places)
            known = set(sys.modules)
        elif rest is None:
            _answer(answers, {"ready": True})


def _answer(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message, default=str) + "\n")
    answers.flush()


def _read(requests: TextIO, waiting: SimpleQueue[dict[str, Any]]) -> None:
    for line in requests:
        waiting.put(json.loads(line))
    os._exit(0)


def _leave_with_parent(parent: int) -> None:
    """A fork of the parent may hold the other end of the pipe, so its end alone is no sure sign."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _run(args: list[str], folder: str, environment: dict[str, str]) -> dict[str, Any]:
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner
    from dbt_common.events.base_types import EventLevel

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    log: list[str] = []

    def hear(event: Any) -> None:
        if event.info.level != EventLevel.DEBUG and event.info.msg:
            log.append(event.info.msg)

    runner: Any = dbtRunner(callbacks=[hear])
    try:
        outcome = runner.invoke(args)
    finally:
        reset_adapters()
        _let_go_of_duckdb()
        os.chdir(os.sep)
    return {
        "success": outcome.success,
        "error": str(outcome.exception or ""),
        "log": log[-_LOG_LINES:],
        "results": [_result(r) for r in getattr(outcome.result, "results", ()) if _ran(r)],
    }


def _let_go_of_duckdb() -> None:
    """dbt-duckdb keeps its handle, and with it the lock on the file, until the process ends."""
    connections = sys.modules.get("dbt.adapters.duckdb.connections")
    if connections is not None:
        connections.DuckDBConnectionManager.close_all_connections()
        gc.collect()


def _forget_modules(known: set[str], places: list[str]) -> None:
    """A project's own plugins may read otherwise when the next command comes."""
    sys.path[:] = places
    for name in set(sys.modules) - known:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file and not file.startswith(tuple(places)):
            del sys.modules[name]


def _ran(result: Any) -> bool:
    """Macros have no node, and nothing is ever done about the exposures among a build's results."""
    return hasattr(result, "node") and str(result.status) != "no-op"


def _result(result: Any) -> dict[str, Any]:
    status = str(result.status)
    return {
        "unique_id": result.node.unique_id,
        "status": _STATUSES.get(status, status),
        "message": str(result.message or ""),
        "failures": result.failures,
        "seconds": result.execution_time,
        "compiled_code": getattr(result.node, "compiled_code", None),
    }


if __name__ == "__main__":
    main()
