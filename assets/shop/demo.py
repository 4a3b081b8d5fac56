"""The demo: three quiet days, a careless commit, and what the agent makes of it.

Everything is real but the clock: the shop's own job loads and builds, the agent's sensor is
evaluated as the daemon would evaluate it, and each run that it asks for runs in this process on the
instance that `make dev` opens afterwards.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel

from assets.shop.workspace import DEFAULT_HOME, ShopWorkspace, careless_commit, open_workspace
from dagster_agent import Finding, render_finding

if TYPE_CHECKING:
    from assets.shop.polling import Polling

QUIET_DAYS = 3
EXPECTED_PATTERN = "inner-join-drops-rows"
EXPECTED_FILE = "models/intermediate/int_orders_enriched.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of the incident."""

    cycles: int
    """Sensor ticks from the end of the broken run to the launch of the investigation."""
    detected_after: float
    """Seconds from the end of the broken run to the failed check."""
    investigated_in: float
    """Seconds from the investigation's start to its tested finding."""
    succeeded: bool
    """Whether the investigation's run ended well."""
    finding: Finding | None
    """The finding, None when the incident was missed."""


def main(arguments: Sequence[str] = ()) -> int:
    """Play the demo.

    Args:
        arguments: None are understood.

    Returns:
        0; 1 when the incident was missed, misdiagnosed, or its fix not verified; 2 for arguments.
    """
    if arguments:
        sys.stderr.write(f"the demo takes no arguments, got {' '.join(arguments)}\n")
        return 2
    instance_home = _clean_slate()
    with _stage(instance_home.parent / "demo.log") as console:
        return _play(console, instance_home)


def _play(console: Console, instance_home: Path) -> int:
    started = time.monotonic()
    console.rule("[bold]dagster_agent: one incident, from detection to a verified pull request")
    shop = open_workspace()
    from assets.shop.polling import Polling

    polling = Polling.on(
        instance_home, say=lambda line: console.print(f"    {line}", markup=False, style="dim")
    )
    _quiet_days(console, polling)
    outcome = _incident(console, polling, shop)
    failures = _judge(outcome)
    _tell(console, outcome, polling)
    console.print(f"\n[dim]{time.monotonic() - started:.0f} s in all[/dim]")
    for failure in failures:
        console.print(f"[bold red]FAILED:[/bold red] {failure}")
    return 1 if failures else 0


@contextmanager
def _stage(log: Path) -> Generator[Console]:
    """A console for the story; whatever dbt and Dagster print goes to a file meanwhile."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log.open("w") as backstage, os.fdopen(os.dup(1), "w") as front:
        os.dup2(backstage.fileno(), 1)
        os.dup2(backstage.fileno(), 2)
        try:
            yield Console(file=front, highlight=False, width=None if front.isatty() else 110)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(kept, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)


def _clean_slate() -> Path:
    """An empty shop and an empty Dagster instance, so that every demo starts alike."""
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(DEFAULT_HOME.parent / "dagster_home")))
    shop_home = Path(os.environ.setdefault("SHOP_HOME", str(DEFAULT_HOME)))
    for folder in (home, shop_home):
        shutil.rmtree(folder, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    return home


def _quiet_days(console: Console, polling: Polling) -> None:
    today = datetime.now(UTC).date()
    polling.tick()
    for ago in range(QUIET_DAYS, 0, -1):
        day = today - timedelta(days=ago)
        summary = _a_day(polling, day)
        console.print(f"[green]●[/green] {day:%A %d %B}: {summary}")


def _a_day(polling: Polling, day: date) -> str:
    began = time.monotonic()
    run = polling.let_a_day_pass(day)
    built = "built and tested" if run.success else "FAILED"
    checks = polling.settle()
    failed = [check for check in checks if not check.passed]
    told = f"{len(checks)} agent checks, {len(failed)} failed"
    return f"shop {built}; {told} ({time.monotonic() - began:.0f} s)"


def _incident(console: Console, polling: Polling, shop: ShopWorkspace) -> Outcome:
    now = datetime.now(UTC)
    sha = careless_commit(shop, now)
    console.print(f"[yellow]●[/yellow] today: commit {sha[:7]} is pushed; it says it tidies up")
    run = polling.let_a_day_pass(now.date())
    state = "green, every dbt test passes" if run.success else "red"
    console.print(f"[yellow]●[/yellow] the nightly run is {state}")
    ended = time.monotonic()
    cycles, detected_after = 0, 0.0
    for cycles in range(1, 6):
        checks = polling.tick()
        failed = [check for check in checks if not check.passed]
        if failed and not detected_after:
            detected_after = time.monotonic() - ended
            console.print(f"[red]●[/red] polling cycle {cycles}: {len(failed)} agent checks fail")
            for check in failed:
                console.print(f"    {check.asset}: {check.headline}")
        if polling.investigations:
            break
    else:
        return Outcome(cycles=0, detected_after=0, investigated_in=0, succeeded=False, finding=None)
    return Outcome(
        cycles=cycles,
        detected_after=detected_after,
        investigated_in=polling.investigations[0].seconds,
        succeeded=polling.investigations[0].succeeded,
        finding=polling.finding(),
    )


def _judge(outcome: Outcome) -> list[str]:
    """What is not as it must be; empty when the demo did its job."""
    finding = outcome.finding
    if finding is None:
        return ["the incident was missed"]
    report = finding.report
    wrong: list[str] = []
    if not outcome.succeeded:
        wrong.append("the investigation's run failed: see its page")
    if report.cause is None or report.cause.pattern != EXPECTED_PATTERN:
        wrong.append(f"misdiagnosed: {report.cause.pattern if report.cause else report.verdict}")
    elif EXPECTED_FILE not in report.cause.files:
        wrong.append(f"wrong file: {report.cause.files}")
    if report.verification is None or not report.verification.verified:
        wrong.append("the fix is not verified")
    if finding.pull_request is None:
        wrong.append("no pull request was opened")
    return wrong


def _tell(console: Console, outcome: Outcome, polling: Polling) -> None:
    if outcome.finding is None:
        return
    console.print(Panel(Markdown(render_finding(outcome.finding)), title=outcome.finding.id))
    request = outcome.finding.pull_request
    if request is not None:
        console.print(f"Pull request #{request.number} ({request.state}): {request.url}")
    console.print(
        f"Detected {outcome.detected_after:.1f} s of work and {outcome.cycles} polling cycles "
        f"after the broken run; tested finding {outcome.investigated_in:.1f} s after its first log "
        "line."
    )
    console.print("\nSee it in Dagster: [bold]make dev[/bold], then")
    base = "http://localhost:3000"
    console.print(
        f"  the finding      {base}/assets/agent/findings?view=partitions&partition="
        f"{quote(polling.newest_partition())}",
        soft_wrap=True,
    )
    console.print(f"  what waits       {base}/assets/agent/inbox")
    console.print(f"  the asset        {base}/assets/int_orders_enriched?view=checks")
    console.print(f"  the runs         {base}/runs")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
