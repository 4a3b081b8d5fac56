"""The only room that knows Dagster: checks, jobs, the sensor and the assets that people see."""

from dagster_agent.definitions.agent import DataOpsAgent, agent_definitions
from dagster_agent.definitions.builders import (
    build_anomaly_checks,
    build_checks_job,
    build_failure_sensor,
    build_freshness_checks,
    build_investigation_job,
    build_quality_checks,
    build_reconciliation_checks,
    build_schema_drift_checks,
    build_schema_drift_sensor,
    build_silence_sensor,
)
from dagster_agent.definitions.component import DataOpsAgentComponent
from dagster_agent.definitions.discovery import DbtAssetRef, DbtProjectRef, discover
from dagster_agent.definitions.expectations import build_expectation_checks
from dagster_agent.definitions.holds import guarded_selection

__all__ = [
    "DataOpsAgent",
    "DataOpsAgentComponent",
    "DbtAssetRef",
    "DbtProjectRef",
    "agent_definitions",
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
    "discover",
    "guarded_selection",
]
