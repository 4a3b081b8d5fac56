"""Relative links into the Dagster UI: Launchpads filled in beforehand, runs, jobs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import dagster as dg
import yaml

from dagster_agent.definitions.names import Names
from dagster_agent.model import DecisionKind, Finding, FindingStatus, Verdict
from dagster_agent.settings import Settings

_DEFAULT_REPOSITORY = "__repository__"
_CLOSED = frozenset({FindingStatus.REJECTED, FindingStatus.RESOLVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the UI this code location's jobs are."""

    location: str | None
    """Name of the code location; None when nothing tells it, and then there are no links."""
    repository: str = _DEFAULT_REPOSITORY
    """Name of the repository; Dagster's default where a location holds plain definitions."""

    @classmethod
    def of_run(cls, run: dg.DagsterRun, settings: Settings) -> Place:
        """From the run's own origin, which only runs launched by Dagster have, else as set."""
        origin = run.remote_job_origin
        if origin is None:
            return cls(location=settings.ui.location_name)
        return cls(
            location=origin.location_name, repository=origin.repository_origin.repository_name
        )

    def launchpad(self, job: str, config: Mapping[str, Any]) -> str | None:
        """Address of a job's Launchpad with this run config; None where the place is unknown."""
        if self.location is None:
            return None
        path = self.location
        if self.repository != _DEFAULT_REPOSITORY:
            path = f"{self.repository}@{self.location}"
        return (
            f"/locations/{quote(path, safe='')}/jobs/{quote(job, safe='')}/playground/setup"
            f"?mode=default&config={quote(_yaml(config), safe=':')}"
        )


def decision_config(
    finding_id: str, kind: DecisionKind, *, decided_by: str = "", comment: str | None = None
) -> dict[str, Any]:
    """Run config of the decide job."""
    said = {} if comment is None else {"comment": comment}
    config = {"finding_id": finding_id, "decision": kind.name, "decided_by": decided_by, **said}
    return {"ops": {"decide": {"config": config}}}


def investigation_config(**fields: str) -> dict[str, Any]:
    """Run config of the investigate job."""
    return {"ops": {"collect": {"config": fields}}}


def accept_schema_config(asset: str) -> dict[str, Any]:
    """Run config of the accept-schema job."""
    return {"ops": {"accept": {"config": {"asset": asset, "decided_by": ""}}}}


def expected_config(asset: str, metric: str, at: datetime) -> dict[str, Any]:
    """Run config of the job that calls a point of a metric expected; `at` is the point's, UTC."""
    point = {"asset": asset, "metric": metric, "at": at.isoformat()}
    return {"ops": {"mark": {"config": {**point, "decided_by": "", "comment": ""}}}}


def steer_config(run_id: str) -> dict[str, Any]:
    """Run config of the steer job, for a person to fill in."""
    return {"ops": {"steer": {"config": {"run_id": run_id, "message": "", "by": ""}}}}


def pause_config(switch: str, *, by: str = "", reason: str = "") -> dict[str, Any]:
    """Run config of the pause job; `switch` is PAUSE or RESUME."""
    return {"ops": {"pause": {"config": {"switch": switch, "by": by, "reason": reason}}}}


def decision_links(finding: Finding, place: Place, names: Names) -> str:
    """How to decide on a finding, as Markdown; empty when it is closed.

    Kept below the 1,000 signs from which on the UI hides a text behind a click.
    """
    if finding.status in _CLOSED:
        return ""
    if place.location is None:
        return (
            f"To decide, launch the job `{names.decide_job}` with `finding_id: {finding.id}` and"
            " `decision: APPROVE`, `REJECT` or `SNOOZE`."
        )
    offered = [
        ("Approve", DecisionKind.APPROVE),
        ("Reject", DecisionKind.REJECT),
        ("Snooze one day", DecisionKind.SNOOZE),
    ]
    if finding.status is FindingStatus.APPROVED:
        offered = offered[1:]
    return " · ".join(
        _link(title, place.launchpad(names.decide_job, decision_config(finding.id, kind)))
        for title, kind in offered
    )


def follow_up_links(finding: Finding, place: Place, names: Names) -> str:
    """How to ask again and where it was found out, as Markdown."""
    about = {"incident_id": finding.report.incident_id}
    if _is_over(finding) and finding.report.asset is not None:
        # a closed incident is not opened again: to ask about its asset opens another
        about = {"asset": finding.report.asset}
    ((field, value),) = about.items()
    again = investigation_config(**about, hint="")
    address = place.launchpad(names.investigate_job, again)
    by_hand = f"To ask again, launch `{names.investigate_job}` with `{field}: {value}`."
    links = [_link("Ask again with a hint", address) or by_hand]
    if finding.run_id is not None:
        links.append(f"[Show the run](/runs/{finding.run_id})")
    return " · ".join(links)


def _is_over(finding: Finding) -> bool:
    return finding.report.verdict is Verdict.HEALTHY or finding.status in _CLOSED


def accept_link(asset: str, place: Place, names: Names) -> str:
    """How to accept a schema that is meant as it is, as Markdown."""
    address = place.launchpad(names.accept_schema_job, accept_schema_config(asset))
    by_hand = f"To accept it, launch the job `{names.accept_schema_job}` with `asset: {asset}`."
    return _link("Accept this schema", address) or by_hand


def expected_link(
    title: str, asset: str, metric: str, at: datetime, place: Place, names: Names
) -> str:
    """How to call a point of a metric expected, as Markdown."""
    address = place.launchpad(names.expected_job, expected_config(asset, metric, at))
    by_hand = (
        f"If it is expected, launch the job `{names.expected_job}` with `asset: {asset}`, "
        f"`metric: {metric}` and `at: {at.isoformat()}`."
    )
    return _link(title, address) or by_hand


def steer_address(run_id: str, place: Place, names: Names) -> str:
    """Where to steer an investigation, for a log line: the UI makes no links of those."""
    by_hand = f"launch the job {names.steer_job} with run_id: {run_id}"
    return place.launchpad(names.steer_job, steer_config(run_id)) or by_hand


def steer_link(run_id: str, place: Place, names: Names) -> str:
    """How to steer an investigation, as Markdown."""
    by_hand = f"to steer it, launch `{names.steer_job}` with `run_id: {run_id}`"
    return _link("Steer or stop", place.launchpad(names.steer_job, steer_config(run_id))) or by_hand


def resume_link(place: Place, names: Names) -> str:
    """How to resume, as Markdown."""
    by_hand = f"To resume, launch the job `{names.pause_job}` with `switch: RESUME`."
    return _link("Resume", place.launchpad(names.pause_job, pause_config("RESUME"))) or by_hand


def _link(title: str, address: str | None) -> str:
    return f"[{title}]({address})" if address else ""


def _yaml(config: Mapping[str, Any]) -> str:
    """Block style, which people can edit; indented by one, since a URL spells a space `%20`."""
    text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True, width=10_000)
    return re.sub(r"^( +)", lambda match: " " * (len(match[1]) // 2), text, flags=re.MULTILINE)
