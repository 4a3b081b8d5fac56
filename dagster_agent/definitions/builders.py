"""The pieces of the agent one by one, for a team that composes its location by hand.

Each takes the dbt assets it is about, as `assets=` of a `Definitions` takes them, and the same
settings. `DataOpsAgent` adds what a location does not have yet, so pieces and the whole mix.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dagster_agent.definitions import (
    checks,
    drift_sensor,
    investigate_job,
    sensors,
    silence_sensor,
)
from dagster_agent.definitions.blueprint import (
    Assets,
    SettingsLike,
    all_check_keys,
    blueprint_of,
)
from dagster_agent.definitions.jobs import Job, checks_job
from dagster_agent.definitions.names import Engine


def build_reconciliation_checks(
    *, assets: Assets, settings: SettingsLike = None, name: str = "reconciliation"
) -> list[dg.AssetChecksDefinition]:
    """Checks that compare each dbt asset with what it is built from, and with configured truths.

    Args:
        assets: dbt assets, or the `Definitions` that hold them.
        settings: Settings of the agent, or a mapping of them.
        name: Names the ops; two calls in one location need two names.

    Raises:
        ConfigError: No dbt asset among `assets`, or a wrong setting.
    """
    return _engine_checks("reconciliation", assets, settings, name)


def build_schema_drift_checks(
    *, assets: Assets, settings: SettingsLike = None, name: str = "schema_drift"
) -> list[dg.AssetChecksDefinition]:
    """Checks that each dbt asset, and each source it reads, has the columns last accepted.

    Args and errors as in `build_reconciliation_checks`.
    """
    return _engine_checks("schema-drift", assets, settings, name)


def build_anomaly_checks(
    *, assets: Assets, settings: SettingsLike = None, name: str = "anomaly"
) -> list[dg.AssetChecksDefinition]:
    """Checks that each dbt asset's row count, null shares and sums are as usual.

    Args and errors as in `build_reconciliation_checks`.
    """
    return _engine_checks("anomaly", assets, settings, name)


def build_freshness_checks(
    *, assets: Assets, settings: SettingsLike = None, name: str = "freshness"
) -> list[dg.AssetChecksDefinition]:
    """Checks that the newest data of each asset of which something is promised is recent enough.

    Args and errors as in `build_reconciliation_checks`.
    """
    return _engine_checks("freshness", assets, settings, name)


def build_quality_checks(
    *, assets: Assets, settings: SettingsLike = None, name: str = "quality"
) -> list[dg.AssetChecksDefinition]:
    """Checks that each dbt asset keeps its promises: its dbt tests, dimensions and invariants.

    Args and errors as in `build_reconciliation_checks`.
    """
    return _engine_checks("quality", assets, settings, name)


def build_investigation_job(*, assets: Assets, settings: SettingsLike = None) -> dg.JobDefinition:
    """The job that finds, proves and proposes to mend the cause of an incident.

    Args and errors as in `build_reconciliation_checks`.
    """
    return investigate_job.build_job(blueprint_of(assets, settings))


def build_checks_job(*, assets: Assets, settings: SettingsLike = None) -> Job:
    """The job in which the agent's checks of these assets are measured.

    Args and errors as in `build_reconciliation_checks`.
    """
    blueprint = blueprint_of(assets, settings)
    return checks_job(blueprint, all_check_keys(blueprint))


def build_schema_drift_sensor(
    *, assets: Assets, settings: SettingsLike = None, job: Job | None = None
) -> dg.SensorDefinition:
    """The sensor that looks at schemas on its own interval, whether anything runs or not.

    Args:
        assets: dbt assets, or the `Definitions` that hold them.
        settings: Settings of the agent, or a mapping of them.
        job: From `build_checks_job`; built here by default.

    Raises:
        ConfigError: No dbt asset among `assets`, or a wrong setting.
    """
    blueprint = blueprint_of(assets, settings)
    measure = job or checks_job(blueprint, all_check_keys(blueprint))
    return drift_sensor.build_drift_sensor(blueprint, measure)


def build_silence_sensor(
    *, assets: Assets, settings: SettingsLike = None, job: Job | None = None
) -> dg.SensorDefinition:
    """The sensor that notices what goes wrong without anything failing.

    Args:
        assets: dbt assets, or the `Definitions` that hold them.
        settings: Settings of the agent, or a mapping of them.
        job: From `build_investigation_job`; built here by default.

    Raises:
        ConfigError: No dbt asset among `assets`, or a wrong setting.
    """
    blueprint = blueprint_of(assets, settings)
    return silence_sensor.build_silence_sensor(
        blueprint, job or investigate_job.build_job(blueprint)
    )


def build_failure_sensor(
    *,
    assets: Assets,
    settings: SettingsLike = None,
    jobs: Sequence[Job] | None = None,
) -> dg.SensorDefinition:
    """The sensor that turns failed runs and failed checks into incidents and investigations.

    Args:
        assets: dbt assets, or the `Definitions` that hold them.
        settings: Settings of the agent, or a mapping of them.
        jobs: From `build_investigation_job` and `build_checks_job`; built here by default.

    Raises:
        ConfigError: No dbt asset among `assets`, or a wrong setting.
    """
    blueprint = blueprint_of(assets, settings)
    if jobs is None:
        measure = checks_job(blueprint, all_check_keys(blueprint))
        jobs = [investigate_job.build_job(blueprint), measure]
    return sensors.build_sensor(blueprint, jobs)


def _engine_checks(
    engine: Engine, assets: Assets, settings: SettingsLike, name: str
) -> list[dg.AssetChecksDefinition]:
    blueprint = blueprint_of(assets, settings)
    return checks.build_checks(
        blueprint, engines=[engine], findings=False, op_name=f"{name}_checks"
    )
