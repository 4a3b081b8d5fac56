"""The place where the shop works: its databases, and the clone of its dbt project with a remote.

SHOP_HOME/            the environment variable; `.demo/shop` of this repository when it is not set
  dbt/                clone of the dbt project, on `main`: what dbt builds
  dbt.git/            its remote `origin`
  shop.duckdb         the warehouse
  processor.duckdb    the payment processor's ledger
  shop.json           the day on which the shop opened
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from filelock import FileLock

from assets.project_history import Author, commit_all, create_history, run_git, write_edited
from assets.shop import clock
from assets.shop.history import CARELESS_EDITS, CARELESS_SUBJECT, ENRICHED, PRIYA, shop_history

TEMPLATE = Path(__file__).parent / "dbt_project"
DEFAULT_HOME = Path(__file__).parents[2] / ".demo" / "shop"
DAYS_OF_HISTORY = 730


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopWorkspace:
    """A working place that exists."""

    home: Path
    """Its directory, absolute."""
    opened: date
    """The shop's first day of business."""

    @property
    def dbt_project(self) -> Path:
        """The clone that dbt builds."""
        return self.home / "dbt"

    @property
    def remote(self) -> Path:
        """The clone's bare `origin`."""
        return self.home / "dbt.git"

    @property
    def warehouse(self) -> Path:
        """DuckDB file of the raw tables and the dbt models."""
        return self.home / "shop.duckdb"

    @property
    def processor(self) -> Path:
        """DuckDB file of the payment processor's ledger."""
        return self.home / "processor.duckdb"


def open_workspace(home: Path | None = None, *, today: date | None = None) -> ShopWorkspace:
    """The workspace in `home` (`SHOP_HOME`), made when it is missing.

    A new shop has two years of business behind it on `today` (`SHOP_TODAY`, else the UTC date), and
    its dbt project a history that ends six days before. An existing one stays as it is.
    """
    home = (home or Path(os.environ.get("SHOP_HOME") or DEFAULT_HOME)).resolve()
    workspace = _existing(home)
    if workspace is not None:
        return workspace
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".lock"):
        return _existing(home) or _create(home, today or clock.today())


def careless_commit(workspace: ShopWorkspace, at: datetime) -> str:
    """Push the commit that makes orders without a customer record vanish; its sha.

    It says that it tidies, and mostly it does. Where the join is an inner one already, nothing
    happens and the sha is that of the commit that made it so.
    """
    clone = workspace.dbt_project
    if not _is_careless(clone):
        run_git(clone, "pull", "--quiet", "--ff-only")
        for name, edits in CARELESS_EDITS.items():
            write_edited(TEMPLATE / name, edits, clone / name)
        commit_all(clone, CARELESS_SUBJECT, author=PRIYA, at=at)
        run_git(clone, "push", "--quiet", "origin", "main")
    return run_git(clone, "log", "-1", "--format=%H", "--", f"{ENRICHED}.sql").strip()


def merge(workspace: ShopWorkspace, branch: str, *, author: Author, at: datetime) -> str:
    """Merge a pull request's branch into `main`, as a reviewer does; the merge's sha."""
    clone = workspace.dbt_project
    run_git(clone, "pull", "--quiet", "--ff-only")
    run_git(clone, "fetch", "--quiet", "origin", branch)
    message = f"Merge {branch}"
    arguments = ("merge", "--quiet", "--no-ff", "--message", message, "FETCH_HEAD")
    run_git(clone, *arguments, author=author, at=at)
    run_git(clone, "push", "--quiet", "origin", "main")
    return run_git(clone, "rev-parse", "HEAD").strip()


def revert(workspace: ShopWorkspace, at: datetime) -> str:
    """Push the revert of `careless_commit`; its sha, or HEAD's when there is nothing to revert."""
    clone = workspace.dbt_project
    if _is_careless(clone):
        run_git(clone, "pull", "--quiet", "--ff-only")
        sha = careless_commit(workspace, at)
        run_git(clone, "revert", "--no-commit", sha, author=PRIYA, at=at)
        message = f'Revert "{CARELESS_SUBJECT}"\n\nThis reverts commit {sha}.'
        commit_all(clone, message, author=PRIYA, at=at)
        run_git(clone, "push", "--quiet", "origin", "main")
    return run_git(clone, "rev-parse", "HEAD").strip()


def _is_careless(clone: Path) -> bool:
    return "inner join customers" in (clone / f"{ENRICHED}.sql").read_text(encoding="utf-8")


def _existing(home: Path) -> ShopWorkspace | None:
    """None while it is missing or only half made: the clone comes last."""
    if not (home / "dbt").exists():
        return None
    settings = json.loads((home / "shop.json").read_text(encoding="utf-8"))
    return ShopWorkspace(home=home, opened=date.fromisoformat(settings["opened"]))


def _create(home: Path, today: date) -> ShopWorkspace:
    opened = today - timedelta(days=DAYS_OF_HISTORY)
    (home / "shop.json").write_text(json.dumps({"opened": opened.isoformat()}), encoding="utf-8")
    workspace = ShopWorkspace(home=home, opened=opened)
    create_history(
        TEMPLATE, shop_history(today), clone=workspace.dbt_project, remote=workspace.remote
    )
    return workspace
