"""Every engine from the shell on one project; the JSON has the documented shape."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dagster_agent.cli import main
from tests.scenarios.conftest import Shop

CONTRACTS = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text()


def run(shop: Shop, command: str, *options: str) -> Result:
    where = ["--project-dir", str(shop.root), "--state-dir", str(shop.state)]
    return CliRunner().invoke(main, [command, *where, *options])


def documented(heading: str) -> Any:
    section = next(s for s in CONTRACTS.split("\n## ") if heading in s.splitlines()[0])
    return json.loads(re.findall(r"```json\n(.*?)```", section, re.DOTALL)[0])


def test_the_engines(shop: Shop) -> None:
    told = json.loads(run(shop, "profile", "--asset", "fct_orders", "--json").stdout)
    assert told.keys() == documented("profile --json").keys()
    (profile,) = told["profiles"]
    assert profile.keys() == documented("profile --json")["profiles"][0].keys()
    assert profile["row_count"] == 1000
    amount = next(c for c in profile["columns"] if c["name"] == "amount")
    assert amount.keys() == documented("profile --json")["profiles"][0]["columns"][0].keys()
    assert (amount["minimum"], amount["maximum"]) == (10.0, 59.0)

    done = run(shop, "reconcile", "--asset", "fct_orders", "--json", "--fail-on-finding")
    assert done.exit_code == 0
    detections = json.loads(done.stdout)["detections"]
    assert {d["status"] for d in detections} == {"passed"}
    shape = documented("reconcile --json")["detections"][0]
    assert all(d.keys() == shape.keys() for d in detections)

    assert "untrained" in run(shop, "drift", "--asset", "raw.orders").stdout
    shop.sql("alter table raw.orders drop column currency")
    done = run(shop, "drift", "--asset", "raw.orders", "--fail-on-finding")
    assert done.exit_code == 1
    assert "currency" in done.stdout

    done = run(shop, "doctor", "--json")
    assert json.loads(done.stdout).keys() == documented("doctor --json").keys()


@pytest.mark.drill
def test_fix_validate_and_audit(shop: Shop) -> None:
    shop.replace("models/marts/fct_orders.sql", "    amount,", "    amount_total,")
    shop.commit("Rename the amount")
    assert "ERROR=1" in shop.build()

    shown = run(shop, "fix", "--run", "--json")
    assert shown.exit_code == 0, shown.stderr
    told = json.loads(shown.stdout)
    assert told.keys() == documented("fix --json").keys()
    assert told["outcome"] == "waiting-for-approval"
    assert "+    amount," in told["finding"]["fix"]["diff"]
    assert told["attempts"][0].keys() == documented("fix --json")["attempts"][0].keys()

    applied = run(shop, "fix", "--run", "--approve-by", "Anna", "--json")
    told = json.loads(applied.stdout)
    assert told["outcome"] == "recovered"
    assert told["validation"]["passed"] is True

    done = run(shop, "validate", "--since", "HEAD", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert told.keys() == documented("validate --json").keys()
    assert told["checks"][0].keys() == documented("validate --json")["checks"][0].keys()
    assert set(told["assets"]) == {"model.shop.fct_orders", "model.shop.revenue"}

    where = ["--state-dir", str(shop.state)]
    verified = CliRunner().invoke(main, ["audit", "verify", *where, "--json"])
    verdict = json.loads(verified.stdout)
    assert verified.exit_code == 0
    assert verdict.keys() == documented("audit verify").keys()
    exported = CliRunner().invoke(main, ["audit", "export", *where]).stdout.splitlines()
    assert len(exported) == verdict["records"] > 0
    assert json.loads(exported[0]).keys() == documented("audit export").keys()
    anchor = ["--head-hash", "0" * 64, "--count", str(verdict["records"])]
    assert CliRunner().invoke(main, ["audit", "verify", *where, *anchor]).exit_code == 1


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        ("reconcile", ["--asset", "fct_order"], "did you mean fct_orders"),
        ("profile", ["--asset", "nothing"], "no asset 'nothing'"),
        ("validate", ["--since", "never"], "there is no revision 'never'"),
        ("fix", [], "none of --asset, --question and --run is given"),
    ],
)
def test_a_wrong_word_is_named(shop: Shop, command: str, options: list[str], message: str) -> None:
    done = run(shop, command, *options)
    assert done.exit_code in (2, 3)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "claude: {enabledd: true}",
            "unknown setting 'claude.enabledd' (allowed: base_url, effort",
        ),
        ("incidents: {max_retries: -1}", "setting 'incidents.max_retries' is -1"),
        ("autonomy: {tiers: {retry-rn: 1}}", "did you mean retry-run"),
        ("- a\n- b\n", "are list, not a mapping"),
        ("a: [", "are no YAML"),
    ],
)
def test_a_wrong_settings_file_is_named(shop: Shop, text: str, message: str) -> None:
    file = shop.state.parent / "settings.yml"
    file.write_text(text)
    done = run(shop, "reconcile", "--settings", str(file))
    assert done.exit_code == 2
    assert message in done.stderr


def test_audit_wants_to_know_where(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["audit", "verify"])
    assert (done.exit_code, "give one of" in done.stderr) == (2, True)
    done = CliRunner().invoke(main, ["audit", "verify", "--state-dir", str(tmp_path)])
    assert (done.exit_code, "there is no state.db" in done.stderr) == (2, True)
