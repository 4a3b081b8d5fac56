"""The incidents of the demo: what happens, what must be found, and what people do then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assets.shop.history import ENRICHED, MARA
from assets.shop.mishaps import Mishap, strike
from assets.shop.workspace import ShopWorkspace, careless_commit, merge
from dagster_agent import Finding

if TYPE_CHECKING:
    import dagster as dg

    from assets.shop.polling import Polling

    Happening = Callable[[Polling, ShopWorkspace], dg.ExecuteInProcessResult]

QUESTION = "why did revenue drop on Tuesday?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One thing that goes wrong."""

    name: str
    """As given on the command line."""
    title: str
    """Headline of its part of the demo."""
    seen: str
    """What the team sees of it, one sentence."""
    happen: Happening
    """Lets it happen; the customer's run in which it arrives."""
    pattern: str
    """The cause that must be found."""
    file: str
    """The file that must be named."""
    merged: bool = True
    """Whether somebody merges the fix at once; otherwise it waits in the inbox."""
    accepts: str = ""
    """Asset whose changed schema somebody accepts for good."""

    def decide(self, polling: Polling, shop: ShopWorkspace, finding: Finding) -> str:
        """Approve the finding and merge its pull request; what was done, in words."""
        request = finding.pull_request
        if request is None:
            return "nothing to merge"
        answer = {"finding_id": finding.id, "decision": "APPROVE", "decided_by": "Mara Vogt"}
        polling.launch("agent_decide", {"ops": {"decide": {"config": answer}}})
        merge(shop, request.branch, author=MARA, at=datetime.now(UTC))
        told = f"Mara approves {finding.id} and merges pull request #{request.number}."
        if self.accepts:
            accepted = {"asset": self.accepts, "decided_by": "Mara Vogt"}
            polling.launch("agent_accept_schema", {"ops": {"accept": {"config": accepted}}})
            told += f" She accepts the new schema of {self.accepts}."
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an incident."""

    incident: Incident
    """Which one."""
    cycles: int
    """Polling cycles from the end of the run to the launch of the investigation."""
    detected_after: float | None
    """Seconds from the end of the run to the failed check; 0 where the run itself failed; None when
    nothing was noticed."""
    investigated_in: float
    """Seconds of the investigations' runs."""
    succeeded: bool
    """Whether an investigation was launched, and all ended well."""
    findings: tuple[Finding, ...]
    """Those of this incident, newest first."""

    @property
    def finding(self) -> Finding | None:
        """The finding that names the expected cause, else the newest."""
        for finding in self.findings:
            cause = finding.report.cause
            if cause is not None and cause.pattern == self.incident.pattern:
                return finding
        return self.findings[0] if self.findings else None

    def wrong(self) -> list[str]:
        """What is not as it must be; empty when all is well."""
        finding = self.finding
        if self.detected_after is None:
            return ["missed: nothing was detected"]
        if finding is None:
            return ["missed: there is no finding"]
        report = finding.report
        found: list[str] = []
        if not self.succeeded:
            found.append("the investigation's run failed: see its page")
        if report.cause is None or report.cause.pattern != self.incident.pattern:
            found.append(
                f"misdiagnosed: {report.cause.pattern if report.cause else report.verdict}"
            )
        elif self.incident.file not in report.cause.files:
            found.append(f"wrong file: {report.cause.files}")
        if report.verification is None or not report.verification.verified:
            found.append("the fix is not verified")
        if finding.pull_request is None:
            found.append("no pull request was opened")
        return found

    def line(self) -> str:
        """One line of the summary."""
        finding = self.finding
        if finding is None or self.detected_after is None:
            return f"{self.incident.name:16} MISSED"
        request = finding.pull_request
        return (
            f"{self.incident.name:16} {'ok' if not self.wrong() else 'WRONG':5} "
            f"{finding.report.confidence:.2f}  detected {self.detected_after:.0f} s and "
            f"{self.cycles} cycles after the run, investigated in {self.investigated_in:.0f} s"
            + (f", pull request #{request.number}" if request else "")
        )


def _rename(polling: Polling, shop: ShopWorkspace) -> dg.ExecuteInProcessResult:
    strike(shop.home, Mishap.RENAMED_COLUMN)
    return polling.load_only(datetime.now(UTC).date())


def _careless(polling: Polling, shop: ShopWorkspace) -> dg.ExecuteInProcessResult:
    careless_commit(shop, datetime.now(UTC))
    return polling.let_a_day_pass(datetime.now(UTC).date())


def _replay(polling: Polling, shop: ShopWorkspace) -> dg.ExecuteInProcessResult:
    strike(shop.home, Mishap.WEBHOOK_REPLAY)
    return polling.let_a_day_pass(datetime.now(UTC).date())


def _krona(polling: Polling, shop: ShopWorkspace) -> dg.ExecuteInProcessResult:
    strike(shop.home, Mishap.NEW_CURRENCY)
    return polling.let_a_day_pass(datetime.now(UTC).date())


INCIDENTS = (
    Incident(
        name="rename",
        title="1. The shop's developers rename a column",
        seen="The evening load brings orders with `ordered_at` in place of `placed_at`.",
        happen=_rename,
        pattern="upstream-column-renamed",
        file="models/staging/stg_orders.sql",
        accepts="raw/orders",
    ),
    Incident(
        name="inner-join",
        title="2. A commit says it tidies up",
        seen="A careless commit is built in the night, and every dbt test passes.",
        happen=_careless,
        pattern="inner-join-drops-rows",
        file=f"{ENRICHED}.sql",
        merged=False,
    ),
    Incident(
        name="replay",
        title="3. The payment webhook replays two days",
        seen="The night brings two days of payments a second time.",
        happen=_replay,
        pattern="duplicate-source-rows",
        file="models/staging/stg_payments.sql",
    ),
    Incident(
        name="currency",
        title="4. Gift cards are sold in kronor",
        seen="The first Swedish gift cards arrive, and every dbt test passes.",
        happen=_krona,
        pattern="aggregate-mixes-currencies",
        file="models/marts/growth/gift_cards_daily.sql",
    ),
)
"""In the order in which they are played. The second waits for a review, so that a question about
revenue has something to find."""
