"""The only room that knows Dagster: checks, jobs, the sensor and the assets that people see."""

from dagster_agent.definitions.agent import DataOpsAgent, agent_definitions
from dagster_agent.definitions.builders import (
    build_anomaly_checks,
    build_checks_job,
    build_failure_sensor,
    build_investigation_job,
    build_reconciliation_checks,
    build_schema_drift_checks,
)
from dagster_agent.definitions.component import DataOpsAgentComponent
from dagster_agent.definitions.discovery import DbtAssetRef, DbtProjectRef, discover

__all__ = [
    "DataOpsAgent",
    "DataOpsAgentComponent",
    "DbtAssetRef",
    "DbtProjectRef",
    "agent_definitions",
    "build_anomaly_checks",
    "build_checks_job",
    "build_failure_sensor",
    "build_investigation_job",
    "build_reconciliation_checks",
    "build_schema_drift_checks",
    "discover",
]
