"""The demo: two quiet days, four incidents one after the other, and a question.

Everything is real but the clock: the shop's own jobs load and build, the agent's sensors are
evaluated as the daemon would evaluate them, and each run that they ask for runs in this process on
the instance that `make dev` opens afterwards. The incidents themselves stand in `incidents`.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel

from assets.shop.incidents import INCIDENTS, QUESTION, Incident, Outcome
from assets.shop.workspace import DEFAULT_HOME, ShopWorkspace, open_workspace
from dagster_agent import Finding, render_finding

if TYPE_CHECKING:
    from assets.shop.polling import Polling

QUIET_DAYS = 1


def main(arguments: Sequence[str] = ()) -> int:
    """Play the demo.

    Args:
        arguments: Names of incidents to play; none plays all, and the question.

    Returns:
        0; 1 when an incident was missed, misdiagnosed, or its fix not verified; 2 for arguments.
    """
    known = {incident.name: incident for incident in INCIDENTS}
    unknown = [name for name in arguments if name not in known]
    if unknown:
        sys.stderr.write(f"no incident {', '.join(unknown)}; there are {', '.join(known)}\n")
        return 2
    chosen = [known[name] for name in arguments] or list(INCIDENTS)
    instance_home = _clean_slate()
    with _stage(instance_home.parent / "demo.log") as console:
        return _play(console, instance_home, chosen, ask=not arguments)


def _play(console: Console, instance_home: Path, chosen: Sequence[Incident], *, ask: bool) -> int:
    started = time.monotonic()
    console.rule(f"[bold]dagster_agent: {len(chosen)} incidents, from detection to a proven fix")
    shop = open_workspace()
    from assets.shop.polling import Polling

    polling = Polling.on(
        instance_home, say=lambda line: console.print(f"    {line}", markup=False, style="dim")
    )
    _quiet_days(console, polling)
    outcomes = [_incident(console, polling, shop, incident) for incident in chosen]
    failures = [f"{o.incident.name}: {wrong}" for o in outcomes for wrong in o.wrong()]
    if ask:
        failures += _question(console, polling)
    _summary(console, outcomes, polling)
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
        began = time.monotonic()
        day = today - timedelta(days=ago)
        run = polling.let_a_day_pass(day)
        built = "built and tested" if run.success else "FAILED"
        checks = polling.settle()
        failed = [check for check in checks if not check.passed]
        told = f"{len(checks)} agent checks, {len(failed)} failed"
        took = time.monotonic() - began
        console.print(f"[green]●[/green] {day:%A %d %B}: shop {built}; {told} ({took:.0f} s)")


def _incident(
    console: Console, polling: Polling, shop: ShopWorkspace, incident: Incident
) -> Outcome:
    console.rule(f"[bold]{incident.title}")
    run = incident.happen(polling, shop)
    state = "green" if run.success else "red"
    console.print(f"[yellow]●[/yellow] {incident.seen} The run is {state}.")
    ended = time.monotonic()
    known = {finding.id for finding in polling.findings()}
    before = len(polling.investigations)
    cycles, detected_after = 0, 0.0 if not run.success else None
    for cycles in range(1, 5):
        failed = [check for check in polling.tick() if not check.passed]
        if failed and detected_after is None:
            detected_after = time.monotonic() - ended
        for check in failed[:5]:
            console.print(f"[red]●[/red] cycle {cycles}: {check.asset}: {check.headline}")
        if len(polling.investigations) > before:
            break
    new = [finding for finding in polling.findings() if finding.id not in known]
    launched = polling.investigations[before:]
    outcome = Outcome(
        incident=incident,
        cycles=cycles,
        detected_after=detected_after,
        investigated_in=sum(investigation.seconds for investigation in launched),
        succeeded=bool(launched) and all(i.succeeded for i in launched),
        findings=tuple(new),
    )
    if outcome.finding is not None:
        console.print(Panel(Markdown(render_finding(outcome.finding)), title=outcome.finding.id))
        _decide(console, polling, shop, incident, outcome.finding)
    return outcome


def _decide(
    console: Console, polling: Polling, shop: ShopWorkspace, incident: Incident, finding: Finding
) -> None:
    """What people do: approve, merge, and accept what has changed for good."""
    if not incident.merged or finding.pull_request is None:
        return
    done = incident.decide(polling, shop, finding)
    console.print(f"[green]●[/green] {done}")
    polling.settle(most=2)


def _question(console: Console, polling: Polling) -> list[str]:
    console.rule(f"[bold]A person asks: {QUESTION}")
    before = {finding.id for finding in polling.findings()}
    config = {"ops": {"collect": {"config": {"question": QUESTION}}}}
    polling.launch("agent_investigate", config)
    new = [finding for finding in polling.findings() if finding.id not in before]
    if not new:
        return ["the question was not answered"]
    answer = new[0]
    console.print(Panel(Markdown(render_finding(answer)), title=answer.id))
    cause = answer.report.cause
    expected = "inner-join-drops-rows"
    if cause is None or cause.pattern != expected:
        return [f"the question: {cause.pattern if cause else answer.report.verdict}"]
    return []


def _summary(console: Console, outcomes: Sequence[Outcome], polling: Polling) -> None:
    console.rule("[bold]What came of it")
    for outcome in outcomes:
        console.print(f"  {outcome.line()}")
    console.print("\nSee it in Dagster: [bold]make dev[/bold], then")
    base = "http://localhost:3000"
    console.print(
        f"  the findings     {base}/assets/agent/findings?view=partitions&partition="
        f"{quote(polling.newest_partition())}",
        soft_wrap=True,
    )
    console.print(f"  what waits       {base}/assets/agent/inbox")
    console.print(f"  an asset         {base}/assets/int_orders_enriched?view=checks")
    console.print(f"  the runs         {base}/runs")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
