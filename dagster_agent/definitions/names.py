"""`Names`: every name that the agent adds to a code location, all behind one prefix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import dagster as dg

Engine = Literal["reconciliation", "schema-drift", "anomaly", "freshness", "quality"]
"""The detection engines, as `dagster_agent.response` names them."""

ENGINES: tuple[Engine, ...] = get_args(Engine)
"""In the order in which their checks run: quality reads what the others have found."""

OPEN_FINDINGS = "open_findings"
"""The check that shows what is known of an asset instead of measuring it."""

INCIDENT_TAG = "dagster_agent/incident"
"""Run tag of an investigation: the incident it was launched for."""

ASSET_TAG = "dagster_agent/asset"
"""Run tag of an investigation: the dbt unique id of the asset it is about."""

_CHECK_SUFFIX: Mapping[Engine, str] = {
    "reconciliation": "reconciliation",
    "schema-drift": "schema_drift",
    "anomaly": "anomaly",
    "freshness": "freshness",
    "quality": "quality",
}


@dataclass(frozen=True, slots=True)
class Names:
    """Names of our assets, checks, jobs and sensors."""

    prefix: str
    """As in the settings; `agent` by default."""

    def named(self, what: str) -> str:
        """A name behind the prefix, for jobs, ops, checks and sensors."""
        return f"{self.prefix}_{what}"

    def check(self, engine: Engine) -> str:
        """Name of an engine's asset check."""
        return self.named(_CHECK_SUFFIX[engine])

    def engine_of(self, check_name: str) -> Engine | None:
        """The engine behind a check's name; None for checks of others and for open findings."""
        return next((e for e in ENGINES if self.check(e) == check_name), None)

    def owns_check(self, key: dg.AssetCheckKey) -> bool:
        """Whether the check is one of ours."""
        return key.name == self.open_findings or self.engine_of(key.name) is not None

    def owns_step(self, step_key: str) -> bool:
        """Whether the step is one of our check ops inside a customer's run."""
        return re.fullmatch(rf"{re.escape(self.prefix)}_(\w+_)?checks_\d+", step_key) is not None

    @property
    def open_findings(self) -> str:
        """Name of the check that shows open findings."""
        return self.named(OPEN_FINDINGS)

    @property
    def findings(self) -> dg.AssetKey:
        """Asset with one partition per finding."""
        return dg.AssetKey([self.prefix, "findings"])

    @property
    def inbox(self) -> dg.AssetKey:
        """Asset with the ranked list of what waits for a person."""
        return dg.AssetKey([self.prefix, "inbox"])

    @property
    def decisions(self) -> dg.AssetKey:
        """Asset with one partition per decision."""
        return dg.AssetKey([self.prefix, "decisions"])

    @property
    def investigate_job(self) -> str:
        """Job that investigates."""
        return self.named("investigate")

    @property
    def decide_job(self) -> str:
        """Job that records a person's decision."""
        return self.named("decide")

    @property
    def checks_job(self) -> str:
        """Job that runs our checks."""
        return self.named("checks")

    @property
    def retry_job(self) -> str:
        """Job that builds again what a run did not build."""
        return self.named("retry")

    @property
    def drift_sensor(self) -> str:
        """Sensor that looks at the schemas of the sources."""
        return self.named("drift")

    @property
    def silence_sensor(self) -> str:
        """Sensor that notices what goes wrong without anything failing."""
        return self.named("silence")

    @property
    def accept_schema_job(self) -> str:
        """Job that accepts a changed schema as right."""
        return self.named("accept_schema")

    @property
    def expected_job(self) -> str:
        """Job that calls an unusual value expected."""
        return self.named("expected")

    @property
    def steer_job(self) -> str:
        """Job that tells a running investigation something."""
        return self.named("steer")

    @property
    def pause_job(self) -> str:
        """Job that pauses and resumes every action."""
        return self.named("pause")

    @property
    def watch_sensor(self) -> str:
        """Sensor that watches the customer's runs."""
        return self.named("watch")
