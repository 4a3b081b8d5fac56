"""`classify`, `guard`, `redact`, `pii`, `anomalies`: one by one, and as lines."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dagster_agent.cli import main

CONTRACTS = (Path(__file__).parents[3] / "docs" / "contracts.md").read_text()
MISSING = (
    'Binder Error: Referenced column "placed_at" not found in FROM clause!\n'
    'Candidate bindings: "ordered_at"'
)


def run(*arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(main, list(arguments), input=text)


def documented(heading: str, number: int = 0) -> Any:
    """The JSON fence of that number under a heading that holds these words."""
    section = next(s for s in CONTRACTS.split("\n## ") if heading in s.splitlines()[0])
    return json.loads(re.findall(r"```json\n(.*?)```", section, re.DOTALL)[number])


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_classify_one() -> None:
    told = json.loads(run("classify", MISSING, "--json").stdout)
    assert told["class"] == "missing_column"
    assert told["facts"]["column"] == "placed_at"
    assert told["facts"]["candidates"] == ["ordered_at"]
    assert told.keys() == documented("classify --json").keys()
    assert told["facts"].keys() == documented("classify --json")["facts"].keys()
    assert run("classify", text=MISSING).stdout.startswith("missing_column (")


def test_classify_lines() -> None:
    given = [{"id": "a", "text": MISSING}, {"id": 7, "text": "all is well"}]
    done = run("classify", "--jsonl", text="\n\n".join(map(json.dumps, given)))
    assert done.exit_code == 0
    first, second = lines(done)
    assert first == {
        "id": "a",
        "class": "missing_column",
        "retryable": False,
        "confidence": first["confidence"],
        "rule": first["rule"],
    }
    assert first["confidence"] > 0.9
    assert (second["id"], second["class"], second["confidence"]) == (7, "unknown", 0.0)


def test_lines_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(json.dumps({"id": 1, "text": "password=hunter2hunter2"}) + "\n")
    (told,) = lines(run("redact", "--jsonl", str(file)))
    assert told == {"id": 1, "text": "password=[redacted]"}


def test_a_line_that_cannot_be_judged_stops_nothing() -> None:
    text = '{"id": 1, "text": "x"}\nno json\n{"id": 2}\n[]\n{"id": 3, "text": "y"}\n'
    done = run("redact", "--jsonl", text=text)
    assert done.exit_code == 2
    told = lines(done)
    assert [line.get("text") for line in told] == ["x", None, None, None, "y"]
    assert [line["id"] for line in told] == [1, None, 2, None, 3]
    assert "line 2: no JSON" in told[1]["error"]
    assert "line 3: text is None" in told[2]["error"]
    assert "3 lines could not be judged" in done.stderr


@pytest.mark.parametrize(
    ("sql", "relations", "allowed"),
    [
        ("select count(*) from raw.orders", None, True),
        ("select count(*) from raw.orders", ["raw.orders"], True),
        ("select count(*) from raw.orders", ["raw.customers"], False),
        ("delete from raw.orders", None, False),
    ],
)
def test_guard_lines(sql: str, relations: list[str] | None, allowed: bool) -> None:
    record: dict[str, Any] = {"id": "x", "text": sql, "dialect": "duckdb"}
    if relations is not None:
        record["relations"] = relations
    (told,) = lines(run("guard", "--jsonl", text=json.dumps(record)))
    assert told.keys() == {"id", "allowed", "reason"}
    assert told["allowed"] is allowed
    assert told["reason"]


def test_guard_one() -> None:
    told = json.loads(run("guard", "drop table x", "--json").stdout)
    assert told.keys() == documented("guard --json").keys()
    assert told["allowed"] is False
    assert run("guard", "select 1").stdout == "allowed\n"
    done = run("guard", "select 1", "--dialect", "cobol", "--json")
    assert "cobol" in json.loads(done.stdout)["reason"]


def test_redact_one() -> None:
    told = json.loads(run("redact", "postgres://me:s3cr3tpass@db/x", "--json").stdout)
    assert told == {"text": "postgres://me:[redacted]@db/x"}
    assert told.keys() == documented("guard --json", 1).keys()
    assert run("redact", text="nothing here\n").stdout == "nothing here\n"


def test_pii() -> None:
    mails = [f"p{n}@example.org" for n in range(20)]
    record = {"id": 1, "table": "t", "column": "c1", "type": "VARCHAR", "values": mails}
    (told,) = lines(run("pii", "--jsonl", text=json.dumps(record)))
    assert (told["id"], told["pii"], told["kind"]) == (1, True, "email")
    one = json.loads(run("pii", "--column", "order_count", "--type", "BIGINT", "--json").stdout)
    assert one["pii"] is False
    assert one.keys() == documented("guard --json", 2).keys()
    assert "no column is given" in run("pii").stderr


def test_anomalies_judges_each_point_by_those_before() -> None:
    rows = [f"2026-10-{day:02d},{1000 + day % 3}" for day in range(1, 31)] + ["2026-10-31,90"]
    done = run("anomalies", "-", "--jsonl", text="timestamp,value\n" + "\n".join(rows))
    told = lines(done)
    assert told[0].keys() == documented("anomalies --json").keys()
    assert [line["timestamp"] for line in told] == [row.split(",")[0] for row in rows]
    assert told[0]["trained"] is False
    assert [line["timestamp"] for line in told if line["anomaly"]] == ["2026-10-31"]
    assert told[-1]["score"] < -3
    listed = json.loads(run("anomalies", "--json", text="timestamp,value\n" + rows[0]).stdout)
    assert listed == [told[0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the header is ''"),
        ("day,value\n", "the header is 'day,value'"),
        ("timestamp,value\nyesterday,1\n", "line 2: 'yesterday' is no timestamp"),
        ("timestamp,value\n2026-01-01,much\n", "line 2: 'much' is no number"),
        ("timestamp,value\n2026-01-01,nan\n", "not finite"),
        ("timestamp,value\n2026-01-01\n", "line 2 has 1 fields"),
        ("timestamp,value\n2026-01-01,1\n2026-01-01T00:00:00Z,2\n", "line 3 repeats"),
    ],
)
def test_a_bad_series_is_named(text: str, message: str) -> None:
    done = run("anomalies", "-", text=text)
    assert done.exit_code == 2
    assert message in done.stderr


def test_no_points_is_no_trouble() -> None:
    assert json.loads(run("anomalies", "--json", text="timestamp,value\n").stdout) == []
