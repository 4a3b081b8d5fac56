"""The example shop: its world, its dbt project's history, and real builds through Dagster.

This file is long because its tests share one costly build of the shop.
"""

from __future__ import annotations

import importlib.util
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pandas as pd
import pytest

from assets.project_history import run_git
from assets.shop import clock
from assets.shop.days import let_a_day_pass
from assets.shop.history import CARELESS_SUBJECT, shop_history
from assets.shop.transformation import shop_dbt_project
from assets.shop.workspace import (
    TEMPLATE,
    ShopWorkspace,
    careless_commit,
    open_workspace,
    revert,
)
from assets.shop.world import ShopState, World

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 21)
OPENED = TODAY - timedelta(days=730)
TABLES = ("customers", "products", "orders", "order_items", "payments", "refunds")


def state(day: date) -> ShopState:
    return World(opened=OPENED).as_of(clock.last_midnight(day))


# --- the world -----------------------------------------------------------------------------------


def test_world_is_the_same_on_every_machine() -> None:
    today = state(TODAY)
    assert {table: len(getattr(today, table)) for table in TABLES} == {
        "customers": 13_200,
        "products": 400,
        "orders": 50_352,
        "order_items": 106_533,
        "payments": 50_570,
        "refunds": 2_396,
    }
    in_euros = today.orders[today.orders["currency"] == "EUR"]
    assert int(in_euros["total_cents"].sum()) == 297_240_345


def test_days_only_add_rows() -> None:
    # 60 days that reach from one generation block into the next
    for before, after in ((OPENED + timedelta(700), OPENED + timedelta(760)), (TODAY, TODAY)):
        earlier, later = state(before), state(after)
        for table in TABLES:
            key = getattr(earlier, table).columns[0]
            old, new = getattr(earlier, table), getattr(later, table)
            kept = new[new[key].isin(old[key])].reset_index(drop=True)
            pd.testing.assert_frame_equal(
                kept.sort_values(key, ignore_index=True), old.sort_values(key, ignore_index=True)
            )


def test_every_day_sells_and_some_orders_arrive_late() -> None:
    orders = state(TODAY).orders
    per_day = orders.groupby(orders["placed_at"].dt.date).size()
    assert len(per_day) == 730
    assert per_day.min() > 30
    delay = orders["synced_at"] - orders["placed_at"]
    assert 0.005 < (delay > pd.Timedelta(0)).mean() < 0.02
    assert delay.max() < pd.Timedelta(days=4)


def test_nine_orders_in_a_hundred_have_no_customer_record() -> None:
    today = state(TODAY)
    unknown = ~today.orders["customer_id"].isin(today.customers["customer_id"])
    assert int(unknown.sum()) == 4_504
    assert today.orders["customer_id"].isna().any()
    per_quarter = unknown.groupby(today.orders["placed_at"].dt.to_period("Q")).mean()
    assert per_quarter.between(0.07, 0.11).all()


def test_few_customers_order_much_and_yen_are_whole() -> None:
    orders = state(TODAY).orders
    per_customer = orders["customer_id"].value_counts()
    assert per_customer.head(100).sum() / len(orders) > 0.1
    assert (orders.loc[orders["currency"] == "JPY", "total_cents"] % 100 == 0).all()
    assert set(orders["currency"]) == {"EUR", "GBP", "USD", "JPY", "CHF"}


def test_ledger_agrees_with_payments_on_any_day() -> None:
    for day in (OPENED + timedelta(days=100), TODAY):
        books = state(day)
        ledger = books.ledger()
        minor = books.payments["amount_cents"] // books.payments["currency"].map(
            lambda currency: 100 if currency == "JPY" else 1
        )
        charges = ledger[ledger["movement"] == "charge"].set_index("charge")["minor_amount"]
        ours = minor.set_axis(books.payments["processor_charge_id"])
        assert charges.sort_index().to_list() == ours.sort_index().to_list()
        assert (ledger["movement"] == "refund").sum() == len(books.refunds)


@pytest.mark.parametrize("given", ["tomorrow", "2026-13-01"])
def test_a_wrong_day_is_named(given: str) -> None:
    with pytest.raises(ValueError, match=f"shop/today must be a date.*{given}"):
        clock.today({"shop/today": given})


# --- the dbt project's history -------------------------------------------------------------------


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> ShopWorkspace:
    return open_workspace(tmp_path_factory.mktemp("history"), today=TODAY)


def test_history_ends_in_the_template(history: ShopWorkspace) -> None:
    tracked = run_git(history.dbt_project, "ls-files").splitlines()
    template = [path for path in TEMPLATE.rglob("*") if path.is_file()]
    names = {path.relative_to(TEMPLATE).as_posix() for path in template}
    assert set(tracked) == {name for name in names if not name.startswith(("target/", "logs/"))}
    for name in tracked:
        assert (history.dbt_project / name).read_bytes() == (TEMPLATE / name).read_bytes(), name


def test_history_is_by_three_people_and_ends_before_the_quiet_days(history: ShopWorkspace) -> None:
    log = run_git(history.dbt_project, "log", "--format=%an|%aI|%cI").splitlines()
    authors, written, committed = zip(*(line.split("|") for line in log), strict=True)
    assert len(log) == 13
    assert len(set(authors)) == 3
    assert written == committed
    assert datetime.fromisoformat(written[0]).date() == TODAY - timedelta(days=6)
    assert list(written) == sorted(written, reverse=True)


def test_history_is_deterministic_and_pushed(history: ShopWorkspace, tmp_path: Path) -> None:
    again = open_workspace(tmp_path, today=TODAY)
    head = run_git(history.dbt_project, "rev-parse", "HEAD")
    assert run_git(again.dbt_project, "rev-parse", "HEAD") == head
    assert run_git(history.remote, "rev-parse", "main") == head
    assert run_git(history.dbt_project, "status", "--porcelain") == ""


@pytest.mark.parametrize("number", range(13))
def test_every_commit_is_coherent(history: ShopWorkspace, number: int) -> None:
    clone, commit = history.dbt_project, f"HEAD~{12 - number}"
    names = run_git(clone, "ls-tree", "-r", "--name-only", commit).splitlines()
    nodes = {Path(name).stem for name in names if name.endswith((".sql", ".csv"))}
    for name in names:
        text = run_git(clone, "show", f"{commit}:{name}")
        assert set(re.findall(r"ref\('(\w+)'\)", text)) <= nodes, name
        if name.endswith(".yml") and "/stag" not in name:
            assert set(re.findall(r"^  - name: (\w+)$", text, re.M)) <= nodes | {
                "revenue_dashboard",
                "customer_mailing",
            }
        if "in_eur(" in text:
            assert "macros/in_eur.sql" in names


def test_workspace_is_made_once(history: ShopWorkspace) -> None:
    marker = history.dbt_project / "untouched.txt"
    marker.write_text("mine", encoding="utf-8")
    assert open_workspace(history.home, today=TODAY + timedelta(days=9)) == history
    assert marker.exists()
    marker.unlink()


def test_half_made_workspace_is_finished(tmp_path: Path) -> None:
    (tmp_path / ".making-dbt").mkdir()
    (tmp_path / "dbt.git").mkdir()
    workspace = open_workspace(tmp_path, today=TODAY)
    assert run_git(workspace.remote, "rev-list", "--count", "main").strip() == "13"


def test_settings_of_the_user_have_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[user]\n  name = Somebody Else\n[commit]\n  gpgsign = true\n[init]\n  defaultBranch = x\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    workspace = open_workspace(tmp_path / "shop", today=TODAY)
    people = run_git(workspace.dbt_project, "log", "--format=%cn")
    assert "Somebody Else" not in people
    assert run_git(workspace.dbt_project, "branch", "--show-current").strip() == "main"


# --- builds --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Built:
    """What one night left."""

    success: bool
    """The run's."""
    checks: dict[str, bool]
    """dbt tests by name, and whether they passed."""
    counts: dict[str, int]
    """Rows by table."""
    gross_eur: float
    """All revenue."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """A quiet night and a careless one of one and the same day."""

    shop: ShopWorkspace
    """Where it happened."""
    definitions: Any
    """The module `definitions.py`, loaded in a fresh place."""
    quiet: Built
    """Before the careless commit."""
    careless: Built
    """After it."""


def night(definitions: Any, shop: ShopWorkspace, instance: dg.DagsterInstance) -> Built:
    with warnings.catch_warnings():
        # dagster-dbt 0.29 itself uses what dagster 1.13 deprecates
        warnings.filterwarnings("ignore", "AssetExecutionContext.op is deprecated")
        run = let_a_day_pass(definitions.defs, TODAY, instance=instance)
    checks = {
        evaluation.check_name: evaluation.passed
        for evaluation in run.get_asset_check_evaluations()
        if not evaluation.check_name.startswith("agent_")
    }
    with duckdb.connect(str(shop.warehouse), read_only=True) as warehouse:
        tables = ("raw.orders", "fct_orders", "fct_order_items", "fct_payments", "fct_refunds")
        counts = {
            t: warehouse.execute(f"select count(*) from {t}").fetchall()[0][0] for t in tables
        }
        gross = warehouse.execute("select sum(gross_eur) from revenue_daily").fetchall()[0][0]
    return Built(success=run.success, checks=checks, counts=counts, gross_eur=float(gross))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    home = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_HOME", str(home / "not" / "there" / "yet"))
        patch.setenv("SHOP_TODAY", TODAY.isoformat())
        patch.setenv("PATH", "/usr/bin:/bin")  # as in a shell without the virtual environment
        spec = importlib.util.spec_from_file_location("shop_definitions", ROOT / "definitions.py")
        assert spec
        assert spec.loader
        definitions = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(definitions)
        shop = open_workspace()
        with dg.DagsterInstance.local_temp(str(home)) as instance:
            quiet = night(definitions, shop, instance)
            careless_commit(shop, datetime(2026, 11, 20, 16, 40, tzinfo=UTC))
            careless = night(definitions, shop, instance)
        yield Story(shop=shop, definitions=definitions, quiet=quiet, careless=careless)


def test_a_quiet_night_is_green(story: Story) -> None:
    assert story.quiet.success
    assert len(story.quiet.checks) == 56  # 55 dbt tests, and the team's own look at the load
    assert all(story.quiet.checks.values())
    assert story.quiet.counts == {
        "raw.orders": 50_352,
        "fct_orders": 50_352,
        "fct_order_items": 106_533,
        "fct_payments": 50_570,
        "fct_refunds": 2_396,
    }


def test_the_careless_commit_loses_orders_while_everything_is_green(story: Story) -> None:
    assert story.careless.success
    assert story.careless.checks == story.quiet.checks
    assert story.careless.counts == {**story.quiet.counts, "fct_orders": 50_352 - 4_504}
    assert 0.90 < story.careless.gross_eur / story.quiet.gross_eur < 0.92


def test_careless_commit_and_revert_happen_once(history: ShopWorkspace) -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    before = run_git(history.dbt_project, "rev-parse", "HEAD").strip()
    assert revert(history, at) == before
    sha = careless_commit(history, at)
    assert careless_commit(history, at) == sha
    changed = run_git(history.dbt_project, "show", "--format=", "--stat", sha)
    assert "int_orders_enriched.sql" in changed
    reverted = revert(history, at)
    assert revert(history, at) == reverted
    assert run_git(history.dbt_project, "diff", before, reverted) == ""
    log = run_git(history.dbt_project, "log", "-2", "--format=%s").splitlines()
    assert log == [f'Revert "{CARELESS_SUBJECT}"', CARELESS_SUBJECT]
    assert run_git(history.remote, "rev-parse", "main").strip() == reverted
    assert careless_commit(history, at + timedelta(days=1)) != sha
    revert(history, at + timedelta(days=1))


def test_facts_equal_the_ledger(story: Story) -> None:
    with duckdb.connect() as both:
        both.execute(f"attach '{story.shop.warehouse}' as shop (read_only)")
        both.execute(f"attach '{story.shop.processor}' as processor (read_only)")
        for fact, ours, theirs, table in (
            ("fct_payments", "processor_charge_id", "charge", "charges"),
            ("fct_refunds", "processor_refund_id", "refund", "refunds"),
        ):
            rows = both.execute(
                f"select count(*), count(f.{ours}), count(l.{theirs}),"
                " count(*) filter (where f.amount_minor = l.minor_amount)"
                f" from shop.main.{fact} f full join processor.ledger.{table} l"
                f" on f.{ours} = l.{theirs}"
            ).fetchall()[0]
            assert set(rows) == {story.quiet.counts[fact]}


def test_lineage_joins_the_loads_to_the_models(story: Story) -> None:
    graph = story.definitions.defs.resolve_asset_graph()
    for table in TABLES:
        raw = dg.AssetKey(["raw", table])
        assert graph.get(raw).is_materializable
        assert dg.AssetKey([f"stg_{table}"]) in graph.get(raw).child_keys
    assert dg.AssetKey(["processor", "ledger"]) in graph.materializable_asset_keys
    models = [key for key in graph.materializable_asset_keys if len(key.path) == 1]
    assert len(models) >= 23
    assert graph.get(dg.AssetKey(["fct_payments"])).owners == ["team:finance-data"]
    assert (
        story.definitions.defs.resolve_schedule_def("shop_every_morning").job_name == "shop_daily"
    )


def test_settings_of_the_models_are_rendered(story: Story) -> None:
    manifest = json.loads((story.shop.dbt_project / "target" / "manifest.json").read_bytes())
    settings = manifest["nodes"]["model.shop.fct_payments"]["config"]["meta"]["dagster_agent"]
    truth = settings["reconcile"][0]["with"]
    assert truth == {"duckdb": str(story.shop.processor), "table": "ledger.charges"}
    assert settings["critical"] is True
    assert manifest["sources"]["source.shop.raw.orders"]["loaded_at_field"] == "synced_at"
    (dashboard, *_) = [e for e in manifest["exposures"].values() if "revenue" in e["name"]]
    assert dashboard["owner"]["name"] == "Finance analytics"


def test_manifest_follows_commits_and_is_left_alone_otherwise(story: Story) -> None:
    manifest = story.shop.dbt_project / "target" / "manifest.json"
    node = "model.shop.int_orders_enriched"
    # parsed when the definitions were loaded, before the careless commit
    assert "left join customers" in json.loads(manifest.read_bytes())["nodes"][node]["raw_code"]
    shop_dbt_project(story.shop)
    assert "inner join customers" in json.loads(manifest.read_bytes())["nodes"][node]["raw_code"]
    parsed = manifest.stat().st_mtime_ns
    shop_dbt_project(story.shop)
    assert manifest.stat().st_mtime_ns == parsed


def test_history_names_no_missing_file() -> None:
    for commit in shop_history(TODAY):
        for pattern in commit.files:
            assert list(TEMPLATE.glob(pattern)), pattern
