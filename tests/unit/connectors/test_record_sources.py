"""Sources of truth that are no warehouse: whole or not at all.

This file is long because files and APIs must keep the same promise, told side by side.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import pandas as pd
import pytest

from dagster_agent.connectors.record_sources.files import land_files
from dagster_agent.connectors.record_sources.http_api import HttpApi
from dagster_agent.connectors.record_sources.landing import land_records, land_table
from dagster_agent.connectors.record_sources.page_walk import PageWalk
from dagster_agent.errors import ConfigError, ConnectorError

Answer = tuple[int, bytes, dict[str, str]]
Serve = Callable[[Callable[[dict[str, str], dict[str, str]], Answer]], str]
ROWS = [{"id": n, "amount": n / 10} for n in range(1, 8)]


def landed(database: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database)) as connection:
        return connection.execute("from main.records order by all").fetchall()


def types(database: Path) -> dict[str, str]:
    with duckdb.connect(str(database)) as connection:
        rows = connection.execute("describe main.records").fetchall()
    return {row[0]: row[1] for row in rows}


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[dict[str, str], dict[str, str]], Answer]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
                status, body, headers = answer(query, dict(self.headers))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/charges"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def page(rows: list[dict[str, Any]], **more: Any) -> bytes:
    return json.dumps({"data": rows, **more}).encode()


def quick(url: str, **fields: Any) -> HttpApi:
    return HttpApi(url=url, records="data", backoff_seconds=0, **fields)


def read(api: HttpApi) -> list[int]:
    return [row["id"] for row in api.read(sleep=lambda _: None)]


WAYS = {
    "page": PageWalk(kind="page", size=3),
    "offset": PageWalk(kind="offset", size=3),
    "cursor": PageWalk(kind="cursor", next="meta.next"),
    "link": PageWalk(kind="link"),
    "link in the body": PageWalk(kind="link", next="meta.url"),
}


def paged(query: dict[str, str], headers: dict[str, str]) -> Answer:
    if "page" in query:
        start = (int(query["page"]) - 1) * 3
    else:
        start = int(query.get("offset", query.get("cursor", "0")))
    rows, following = ROWS[start : start + 3], start + 3
    more = following < len(ROWS)
    address = f"/charges?offset={following}"
    meta = {"next": following, "url": address} if more else {}
    link = {"Link": f'<{address}>; rel="next"'} if more else {}
    return 200, page(rows, meta=meta, total=len(ROWS)), link


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_page_is_read(serve: Serve, way: PageWalk) -> None:
    api = quick(serve(paged), total="total", pagination=way)
    assert read(api) == [1, 2, 3, 4, 5, 6, 7]


def test_a_busy_api_is_asked_again(serve: Serve) -> None:
    asked: list[int] = []

    def busy(query: dict[str, str], headers: dict[str, str]) -> Answer:
        asked.append(1)
        if len(asked) < 3:
            return 429, b"", {"Retry-After": "0"}
        return 200, page(ROWS), {}

    assert len(read(quick(serve(busy)))) == 7
    assert len(asked) == 3


def test_the_rate_limit_is_kept(serve: Serve) -> None:
    pauses: list[float] = []
    api = quick(serve(paged), pagination=WAYS["page"], rate_limit_per_minute=30)
    list(api.read(sleep=pauses.append))
    assert pauses == [2.0, 2.0]


def test_a_page_that_fails_halfway_is_no_smaller_truth(serve: Serve, tmp_path: Path) -> None:
    def dies(query: dict[str, str], headers: dict[str, str]) -> Answer:
        return (500, b"", {}) if query.get("page") == "2" else paged(query, headers)

    api = quick(serve(dies), pagination=WAYS["page"], max_retries=1)
    with pytest.raises(
        ConnectorError, match=r"page 2 of .*/charges: the API answered 500"
    ) as error:
        land_records(api.read(), tmp_path / "t.duckdb", name=api.name)
    assert error.value.retryable
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_never_comes(serve: Serve) -> None:
    silent = threading.Event()

    def waits(query: dict[str, str], headers: dict[str, str]) -> Answer:
        silent.wait(5)
        return 200, page(ROWS), {}

    api = quick(serve(waits), timeout_seconds=0.05, max_retries=1)
    with pytest.raises(ConnectorError, match=r"page 1 of .* did not come") as error:
        read(api)
    silent.set()
    assert error.value.retryable


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (b'{"data": [', "is no JSON"),
        (b"<html>", "is no JSON"),
        (b'{"items": []}', "no list of records at 'data'"),
        (b'{"data": [1, 2]}', "no list of records at 'data'"),
        (page(ROWS, total="many"), "no number at 'total'"),
        (page(ROWS, total=9), "says that it has 9 records and gave 7"),
    ],
)
def test_bad_pages_are_told(serve: Serve, body: bytes, match: str) -> None:
    with pytest.raises(ConnectorError, match=match):
        read(quick(serve(lambda _query, _headers: (200, body, {})), total="total"))


def test_an_api_that_ignores_its_pagination(serve: Serve) -> None:
    api = quick(
        serve(lambda _query, _headers: (200, page(ROWS), {})), pagination=PageWalk(kind="page")
    )
    with pytest.raises(ConnectorError, match=r"page 2 of .* repeats page 1"):
        read(api)


def test_an_api_that_never_ends(serve: Serve) -> None:
    def grows(query: dict[str, str], headers: dict[str, str]) -> Answer:
        return 200, page([{"id": int(query["page"])}]), {}

    api = quick(serve(grows), pagination=PageWalk(kind="page"), max_pages=3)
    with pytest.raises(ConnectorError, match="more than 3 pages"):
        read(api)


@pytest.mark.parametrize("kind", ["page", "offset"])
def test_an_api_that_gives_fewer_records_than_asked_for(serve: Serve, kind: Any) -> None:
    api = quick(serve(paged), pagination=PageWalk(kind=kind, size=5))
    with pytest.raises(ConnectorError, match="has 3 records although 5 were asked for") as error:
        read(api)
    assert error.value.hint.startswith("set `size` of `pagination` to 3")


@pytest.mark.parametrize("beyond", [(200, page([])), (404, b""), (200, page(ROWS))])
def test_a_short_first_page_may_be_the_only_one(serve: Serve, beyond: tuple[int, bytes]) -> None:
    def one(query: dict[str, str], headers: dict[str, str]) -> Answer:
        return (200, page(ROWS), {}) if query["page"] == "1" else (*beyond, {})

    assert len(read(quick(serve(one), pagination=PageWalk(kind="page", size=9)))) == 7


@pytest.mark.parametrize("kind", ["cursor", "link"])
def test_a_short_or_empty_page_is_not_the_last_where_the_api_says_so(
    serve: Serve, kind: Any
) -> None:
    def filtered(query: dict[str, str], headers: dict[str, str]) -> Answer:
        at = int(query.get("cursor", 0))
        link = {"Link": f'</charges?cursor={at + 1}>; rel="next"'} if at < 3 else {}
        rows = ROWS[at : at + 1] if at in (0, 3) else []
        return 200, page(rows, next=at + 1 if at < 3 else None), link

    assert read(quick(serve(filtered), pagination=PageWalk(kind=kind, size=5))) == [1, 4]


def test_keys_are_not_sent_on(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def other(query: dict[str, str], headers: dict[str, str]) -> Answer:
        seen.append(headers.get("X-Key", ""))
        return 200, page(ROWS), {}

    address = serve(other)
    monkeypatch.setenv("LEDGER_KEY", "abc")
    url = serve(lambda _query, _headers: (302, b"", {"Location": f"{address}?token=abc"}))
    with pytest.raises(ConnectorError, match=r"on to http://127.0.0.1/charges \(keys"):
        read(quick(url, headers={"X-Key": "LEDGER_KEY"}))
    assert not seen


def test_keys_come_from_the_environment_and_go_nowhere_else(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def asks(query: dict[str, str], headers: dict[str, str]) -> Answer:
        seen.append(headers["Authorization"])
        return 200, page(ROWS), {"Link": '<http://evil.example/charges>; rel="next"'}

    api = quick(serve(asks), headers={"Authorization": "LEDGER_KEY"}, pagination=WAYS["link"])
    with pytest.raises(ConfigError, match="no LEDGER_KEY"):
        read(api)
    monkeypatch.setenv("LEDGER_KEY", "Bearer abc")
    with pytest.raises(ConnectorError, match=r"on to evil.example"):
        read(api)
    assert seen == ["Bearer abc"]
    assert replace(api, url="https://x.example/a?key=secret").name == "https://x.example/a"


def test_a_path_that_is_none(serve: Serve) -> None:
    with pytest.raises(ConfigError, match="is no JMESPath"):
        read(HttpApi(url=serve(paged), records="data["))


def test_records_keep_their_meaning(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": 1, "at": date(2026, 11, 1), "amount": Decimal("10.10"), "tags": ["a"], "mixed": 1},
        {"id": 2, "at": None, "amount": 3, "note": "é𝄞", "mixed": "a", "big": 10**22 + 1},
        {"id": 3, "mixed": Decimal("0.12345678901234567890")},
    ]
    land_records(rows, tmp_path / "t.duckdb", name="ledger")
    assert landed(tmp_path / "t.duckdb") == [
        (1, date(2026, 11, 1), 10.1, '["a"]', "1", None, None),
        (2, None, 3.0, None, "a", "é𝄞", "10000000000000000000001"),
        (3, None, None, None, "0.1234567890123456789", None, None),
    ]


@pytest.mark.parametrize("bad", [{"x": float("nan")}, {"x": object()}])
def test_what_cannot_be_kept_is_named(tmp_path: Path, bad: dict[str, Any]) -> None:
    with pytest.raises(ConnectorError, match="record 2 of ledger cannot be kept"):
        land_records([{"x": 1}, bad], tmp_path / "t.duckdb", name="ledger")


def test_nothing_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match="ledger yielded no record"):
        land_records([], tmp_path / "t.duckdb", name="ledger")


def test_tables_are_landed(tmp_path: Path) -> None:
    land_table(pd.DataFrame({"id": [1, 2]}), tmp_path / "t.duckdb", name="frame")
    assert landed(tmp_path / "t.duckdb") == [(1,), (2,)]
    with pytest.raises(ConnectorError, match="frame is int, which is no table"):
        land_table(5, tmp_path / "u.duckdb", name="frame")


def test_files_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id;amount\n1;1,5\n")
    (tmp_path / "b.csv").write_text("id;amount;note\n2;2,5;x\n")
    database = tmp_path / "t.duckdb"
    options: dict[str, bool | int | str] = {"delim": ";", "decimal_separator": ","}
    land_files("*.csv", "csv", database, base_dir=tmp_path, options=options)
    assert landed(database) == [(1, 1.5, None), (2, 2.5, "x")]


@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_other_formats(tmp_path: Path, kind: Any) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"copy (select 1 as id) to '{tmp_path}/it's.{kind}'".replace("'s", "s"))
    land_files(str(tmp_path / f"its.{kind}"), kind, tmp_path / "t.duckdb", base_dir=Path("/"))
    assert landed(tmp_path / "t.duckdb") == [(1,)]
    assert types(tmp_path / "t.duckdb")["id"] in ("INTEGER", "BIGINT")


def test_files_that_are_not_right(tmp_path: Path) -> None:
    database = tmp_path / "t.duckdb"
    with pytest.raises(ConfigError, match=r"no file matches 'x\*.csv'"):
        land_files("x*.csv", "csv", database, base_dir=tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(ConnectorError, match=r"a.parquet cannot be read"):
        land_files("a.parquet", "parquet", database, base_dir=tmp_path)
    with pytest.raises(ConfigError, match="have no option 'delimm'"):
        land_files("a.csv", "csv", database, base_dir=tmp_path, options={"delimm": ";"})


INJECTIONS = (
    "'); create table stolen as select 1; --",
    "') union all select * from read_text('{secret}'); --",
    "', filename = true, nullstr = '",
    '"); drop table records; --',
    "\\'); create table stolen as select 1; --",
    "?); create table stolen as select 1; --",
)


def _written(database: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database)) as connection:
        return connection.execute("select table_name from duckdb_tables() order by all").fetchall()


@pytest.mark.parametrize("text", INJECTIONS)
def test_an_option_is_only_ever_a_value(tmp_path: Path, text: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2")
    (tmp_path / "a.csv").write_text("id\n1\n")
    options: dict[str, bool | int | str] = {"nullstr": text.format(secret=secret), "delim": "|"}
    land_files("a.csv", "csv", tmp_path / "t.duckdb", base_dir=tmp_path, options=options)
    assert landed(tmp_path / "t.duckdb") == [(1,)]
    assert _written(tmp_path / "t.duckdb") == [("records",)]


@pytest.mark.parametrize("text", INJECTIONS)
def test_the_name_of_a_file_is_only_ever_a_name(tmp_path: Path, text: str) -> None:
    name = text.replace("/", "_").format(secret="secret.txt") + ".csv"
    (tmp_path / name).write_text("id\n1\n")
    pattern = name.replace("?", "[?]")
    land_files(pattern, "csv", tmp_path / "t.duckdb", base_dir=tmp_path)
    assert landed(tmp_path / "t.duckdb") == [(1,)]
    assert _written(tmp_path / "t.duckdb") == [("records",)]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_field_is_only_ever_a_name(tmp_path: Path, text: str) -> None:
    land_records([{text: 1}, {text: "b"}], tmp_path / "t.duckdb", name="ledger")
    assert types(tmp_path / "t.duckdb") == {text: "VARCHAR"}
    assert landed(tmp_path / "t.duckdb") == [("1",), ("b",)]
    assert _written(tmp_path / "t.duckdb") == [("records",)]


@pytest.mark.parametrize("name", [*INJECTIONS, "delim = ';', header"])
def test_the_name_of_an_option_is_one_that_is_known(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n")
    with pytest.raises(ConfigError, match="have no option"):
        land_files("a.csv", "csv", tmp_path / "t.duckdb", base_dir=tmp_path, options={name: 1})
