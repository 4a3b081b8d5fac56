"""dagster_agent finds, proves and repairs what breaks in the dbt assets of a code location.

This is the public face. Names are loaded when they are first used, so that importing the package
costs a code location nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dagster_agent.definitions import (
        DataOpsAgent,
        DataOpsAgentComponent,
        build_anomaly_checks,
        build_checks_job,
        build_expectation_checks,
        build_failure_sensor,
        build_freshness_checks,
        build_investigation_job,
        build_quality_checks,
        build_reconciliation_checks,
        build_schema_drift_checks,
        build_schema_drift_sensor,
        build_silence_sensor,
        guarded_selection,
    )
    from dagster_agent.errors import ConfigError, ConnectorError, DagsterAgentError
    from dagster_agent.model import Detection, Evidence, Finding, Incident, Report, Verdict
    from dagster_agent.response import render_finding
    from dagster_agent.settings import Settings

_HOMES = {
    "dagster_agent.definitions": (
        "DataOpsAgent",
        "DataOpsAgentComponent",
        "build_anomaly_checks",
        "build_checks_job",
        "build_expectation_checks",
        "build_failure_sensor",
        "build_freshness_checks",
        "build_investigation_job",
        "build_quality_checks",
        "build_reconciliation_checks",
        "build_schema_drift_checks",
        "build_schema_drift_sensor",
        "build_silence_sensor",
        "guarded_selection",
    ),
    "dagster_agent.errors": ("ConfigError", "ConnectorError", "DagsterAgentError"),
    "dagster_agent.model": ("Detection", "Evidence", "Finding", "Incident", "Report", "Verdict"),
    "dagster_agent.response": ("render_finding",),
    "dagster_agent.settings": ("Settings",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ConfigError",
    "ConnectorError",
    "DagsterAgentError",
    "DataOpsAgent",
    "DataOpsAgentComponent",
    "Detection",
    "Evidence",
    "Finding",
    "Incident",
    "Report",
    "Settings",
    "Verdict",
    "build_anomaly_checks",
    "build_checks_job",
    "build_expectation_checks",
    "build_failure_sensor",
    "build_freshness_checks",
    "build_investigation_job",
    "build_quality_checks",
    "build_reconciliation_checks",
    "build_schema_drift_checks",
    "build_schema_drift_sensor",
    "build_silence_sensor",
    "guarded_selection",
    "render_finding",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
