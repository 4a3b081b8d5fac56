"""The inbox as Dagster shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dagster import MetadataValue

from dagster_agent.definitions.links import Place, resume_link, steer_link
from dagster_agent.definitions.metadata import Metadata, table
from dagster_agent.definitions.names import Names
from dagster_agent.definitions.partitions import finding_page
from dagster_agent.model import Cell, ResultTable

if TYPE_CHECKING:
    from dagster_agent.response import Inbox
    from dagster_agent.response.health import Health
    from dagster_agent.response.steering import RunningInvestigation

_NAMED = ("confidence", "pull request", "age")
_SHOWN_AT_ONCE = 1000
"""Signs from which on the UI hides a text behind a click."""
_PARTS = 8
"""Texts shown; some thirty lines."""
_NOWHERE = Place(location=None)
_WORDS = 300
"""Signs of a sentence in front of a link: both must fit into what is shown at once."""


def inbox_metadata(
    inbox: Inbox,
    names: Names,
    *,
    place: Place = _NOWHERE,
    paused: str | None = None,
    running: Sequence[RunningInvestigation] = (),
) -> Metadata:
    """What waits for a person, worst first, as links; and how it has been going.

    Args:
        inbox: As it is now.
        names: Names behind the prefix.
        place: Where links lead.
        paused: Who paused when and why; None when nobody did.
        running: Investigations that are going on.
    """
    found: Metadata = {}
    waiting = _lines(inbox, names) or ["Nothing waits for a person, and no incident is open."]
    parts = _parts([*_news(names, place, paused, running), *waiting])
    for number, lines in enumerate(parts[:_PARTS], 1):
        label = "inbox" if number == 1 else f"inbox ({number})"
        found[label] = MetadataValue.md("\n".join(lines))
    hidden = sum(len(lines) for lines in parts[_PARTS:])
    if hidden:
        found["not_shown"] = MetadataValue.text(f"{hidden} more")
    found |= {
        "waiting_for_a_person": MetadataValue.int(len(inbox.waiting)),
        "open_incidents": MetadataValue.int(len(inbox.open_incidents)),
        "closed_in_7_days": MetadataValue.int(inbox.closed_last_week),
    }
    if running:
        found["running_investigations"] = MetadataValue.int(len(running))
    if inbox.minutes_to_finding is not None:
        found["minutes_to_finding"] = MetadataValue.float(inbox.minutes_to_finding)
    return found


def health_metadata(health: Health, quality: ResultTable) -> Metadata:
    """How it has been going: a row per group of assets, and the quality scores per domain.

    Args:
        health: Runs and incidents of the last days.
        quality: As `quality_rollup` gives it.
    """
    found: Metadata = {f"health_{days}d": table(health.table(days)) for days in health.windows}
    if quality.rows:
        found["quality"] = table(_narrow(quality))
    return found | {name: MetadataValue.float(n) for name, n in health.metrics().items()}


def _narrow(quality: ResultTable) -> ResultTable:
    """Scores in few columns: a page cuts off what is wider, and everything above it with it."""
    rows: list[tuple[Cell, ...]] = []
    for row in quality.records():
        what = f"{row['below_target']} of {row['assets']} below target"
        if row["below_target"]:
            what += f", worst {row['worst_asset']}"
        if row["week_before"] is not None:
            what += f"; {float(str(row['week_before'])):.1%} a week before"
        rows.append((row["domain"], f"{float(str(row['score'])):.1%}", what))
    return ResultTable(columns=("domain", "score", "what"), rows=tuple(rows))


def _news(
    names: Names, place: Place, paused: str | None, running: Sequence[RunningInvestigation]
) -> Iterator[str]:
    """What stands above the list: whether anything is written at all, and what goes on."""
    from dagster_agent.response.rendering import escape

    if paused is not None:
        told = escape(_short(paused))
        resume = resume_link(place, names)
        yield f"**Paused: nothing is written outside.** {told} · {resume}\n"
    for each in running:
        what, steer = escape(_short(each.title)), steer_link(each.investigation_id, place, names)
        run = f"[its run](/runs/{each.investigation_id})"
        yield f"**Being investigated:** {what} · {each.incident_id} · {run} · {steer}\n"


def _short(text: str) -> str:
    return text if len(text) <= _WORDS else f"{text[:_WORDS]} …"


def _lines(inbox: Inbox, names: Names) -> list[str]:
    """One line per row of the inbox, in its order; a finding's headline leads to its page."""
    from dagster_agent.response.rendering import escape

    pages = {finding.id: finding_page(finding, names) for finding in inbox.waiting}
    lines: list[str] = []
    for number, row in enumerate(inbox.table().records(), 1):
        cells = {name: escape(str(cell)) for name, cell in row.items() if cell not in ("", "-")}
        what, finding_id = cells.pop("what"), cells.pop("finding", "")
        page = pages.get(finding_id)
        facts = [f"{n} {c}" if n in _NAMED else c for n, c in cells.items()]
        headline = f"[{what}]({page})" if page else what
        told = [headline, *([finding_id] if finding_id else []), *facts]
        lines.append(f"{number}. {' · '.join(told)}")
    return lines


def _parts(lines: list[str]) -> list[list[str]]:
    """The lines in texts short enough to be shown at once."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if parts[-1] and sum(len(known) + 1 for known in parts[-1]) + len(line) >= _SHOWN_AT_ONCE:
            parts.append([])
        parts[-1].append(line)
    return parts
