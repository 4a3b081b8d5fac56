"""A dbt project in which every pair is broken in a way of its own, and servers that misbehave.

Each case is a model: `raw_<case>` is what its SQL reads and `<case>` is its table, so that nothing
is wrong with the model itself; `their_<case>` is the other side.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import yaml

from dagster_agent.dbt.project import DbtProject
from tests import warm_dbt

ORDERS = "select i as id, i * 2 as amount from range(12) t(i)"
RECORDS = [{"id": n, "amount": n * 2} for n in range(12)]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A pair, and what its check must say."""

    status: str
    """`passed`, `failed`, `could-not-run` or `untrained`."""
    says: str
    """Regular expression that the check's description must match."""
    ours: str | None = ORDERS
    """SQL of our table; None: it is not there."""
    theirs: str | None = None
    """SQL of their table in the same DuckDB."""
    post: str | None = None
    """SQL of their table in PostgreSQL."""
    source: Mapping[str, Any] | str | None = None
    """What `with` says where it is neither of both."""
    entry: Mapping[str, Any] = field(default_factory=lambda: {"key": "id"})
    """The rest of the entry."""
    meta: Mapping[str, Any] = field(default_factory=lambda: dict[str, Any]())
    """What else stands under `meta: dagster_agent:`."""

    def reconcile(self, name: str, address: str) -> dict[str, Any]:
        """The entry as it stands in the yml."""
        other: Any = self.source
        if isinstance(other, Mapping) and "api" in other:
            api = {"records": "data", "timeout_seconds": 0.2, "max_retries": 0, **other["api"]}
            other = {"api": {**api, "url": f"{address}/{name}"}}
        elif self.theirs is not None:
            other = f"main.their_{name}"
        elif self.post is not None:
            other = {"target": "ledger", "table": f"public.their_{name}"}
        return {"name": "truth", "with": other, **self.entry}


def write_project(
    root: Path, cases: Mapping[str, Case], targets: Mapping[str, Any], address: str
) -> None:
    """The project with its tables in DuckDB, compiled."""
    outputs = {"dev": {"type": "duckdb", "path": "shop.duckdb", "threads": 1}, **targets}
    profile = {"shop": {"target": "dev", "outputs": outputs}}
    models = [
        {
            "name": name,
            "config": {
                "meta": {
                    "dagster_agent": {"reconcile": [case.reconcile(name, address)], **case.meta}
                }
            },
        }
        for name, case in cases.items()
    ]
    files = {
        "dbt_project.yml": "name: shop\nprofile: shop\nflags: {send_anonymous_usage_stats: false}\n"
        "models: {shop: {+materialized: table}}\n",
        "profiles.yml": yaml.safe_dump(profile),
        "models/schema.yml": yaml.safe_dump({"models": models}),
        **{f"models/{name}.sql": f"select * from main.raw_{name}\n" for name in cases},
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    with duckdb.connect(str(root / "shop.duckdb")) as connection:
        for name, case in cases.items():
            connection.execute(f"create table raw_{name} as {case.ours or ORDERS}")
            if case.ours is not None:
                connection.execute(f"create table {name} as from raw_{name}")
            if case.theirs is not None:
                connection.execute(f"create table their_{name} as {case.theirs}")
    keep_compiled(root)


def keep_compiled(root: Path) -> None:
    """Compile a project by the warm dbt, where the agent keeps what it has compiled itself: its own
    dbt would need seconds to start."""
    warm_dbt.run(root, "compile")
    project = DbtProject.open(root, profiles_dir=root)
    kept = root / "state" / "manifests"
    kept.mkdir(parents=True)
    shutil.copy(root / "target" / "manifest.json", kept / f"{project.digest()}.json")


def _page(number: int) -> list[dict[str, int]]:
    return RECORDS[(number - 1) * 5 : number * 5]


def answer(path: str, number: int) -> tuple[int, bytes]:
    """What the API says at an address; every page of five is fine but what the name tells."""
    rows: list[dict[str, int]] = _page(number)
    if number == 2:
        if path == "api_dies":
            return 500, b""
        if path == "api_hangs":
            time.sleep(0.6)
        if path == "api_cut":
            return 200, json.dumps({"data": rows}).encode()[:-9]
        if path == "api_repeats":
            rows = _page(1)
        if path == "api_overlaps":
            rows = RECORDS[4:9]
    if path in ("api_skips", "api_skips_told") and number > 1:
        rows = _page(number + 1)
    total = {"total": len(RECORDS)} if path == "api_skips_told" else {}
    return 200, json.dumps({"data": rows, **total}).encode()


@contextmanager
def served() -> Generator[str]:
    """The API's address while it runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            number = int(parse_qs(parts.query).get("page", ["1"])[0])
            status, body = answer(parts.path.strip("/"), number)
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:
                return  # the reader has given up waiting

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def growing(path: Path) -> Generator[None]:
    """A CSV file that never stops growing."""
    stop = threading.Event()

    def write() -> None:
        with path.open("a") as file:
            while not stop.wait(0.001):
                file.write("1,2\n")
                file.flush()

    path.write_text("id,amount\n" + "1,2\n" * 20_000)
    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()
