"""The inbox as Dagster shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster import MetadataValue

from dagster_agent.definitions.metadata import Metadata
from dagster_agent.definitions.names import Names
from dagster_agent.definitions.partitions import finding_page

if TYPE_CHECKING:
    from dagster_agent.response import Inbox

_NAMED = ("confidence", "pull request", "age")
_SHOWN_AT_ONCE = 1000
"""Signs from which on the UI hides a text behind a click."""
_PARTS = 8
"""Texts shown; some thirty lines."""


def inbox_metadata(inbox: Inbox, names: Names) -> Metadata:
    """What waits for a person, worst first, as links; and how it has been going."""
    found: Metadata = {}
    parts = _parts(_lines(inbox, names))
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
    if inbox.minutes_to_finding is not None:
        found["minutes_to_finding"] = MetadataValue.float(inbox.minutes_to_finding)
    return found


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
    if not lines:
        return [["Nothing waits for a person, and no incident is open."]]
    parts: list[list[str]] = [[]]
    for line in lines:
        if parts[-1] and sum(len(known) + 1 for known in parts[-1]) + len(line) >= _SHOWN_AT_ONCE:
            parts.append([])
        parts[-1].append(line)
    return parts
