"""The sensor that watches the shop's runs, made with the agent's builders."""

import dagster as dg

from dagster_agent import (
    Settings,
    build_checks_job,
    build_failure_sensor,
    build_investigation_job,
)


def watch(models: dg.AssetsDefinition, settings: Settings) -> dg.Definitions:
    """The sensor with the two jobs that it launches."""
    jobs = [
        build_investigation_job(assets=[models], settings=settings),
        build_checks_job(assets=[models], settings=settings),
    ]
    sensor = build_failure_sensor(assets=[models], settings=settings, jobs=jobs)
    return dg.Definitions(jobs=jobs, sensors=[sensor])
