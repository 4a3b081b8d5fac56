"""The pieces of the agent one by one, for a team that composes its location by hand.

Each takes the dbt assets it is about, as `assets=` of a `Definitions` takes them, and the same
settings. `DataOpsAgent` adds what a location does not have yet, so pieces and the whole mix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from dagster_agent.definitions import checks, investigate_job, sensors
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.discovery import discover, discover_in
from dagster_agent.definitions.jobs import Job, checks_job
from dagster_agent.definitions.names import Engine
from dagster_agent.errors import ConfigError
from dagster_agent.settings import Settings

Assets = dg.Definitions | Iterable[dg.AssetsDefinition | dg.AssetSpec]
SettingsLike = Settings | Mapping[str, Any] | None


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


def blueprint_of(assets: Assets, settings: SettingsLike) -> Blueprint:
    """What the builders need to know.

    Raises:
        ConfigError: No dbt asset among `assets`, or a wrong setting.
    """
    found = discover(assets) if isinstance(assets, dg.Definitions) else discover_in(assets)
    if not found:
        raise ConfigError(
            "there is no dbt asset among the given assets",
            hint="pass what @dbt_assets decorates, or the Definitions that hold it",
        )
    return Blueprint.of(found, Settings.parse(settings))


def all_check_keys(blueprint: Blueprint) -> list[dg.AssetCheckKey]:
    """Keys of all checks that the agent has on the watched assets."""
    return [
        key
        for ref in blueprint.refs
        for key in (*blueprint.check_keys(ref), blueprint.open_findings_key(ref))
    ]


def _engine_checks(
    engine: Engine, assets: Assets, settings: SettingsLike, name: str
) -> list[dg.AssetChecksDefinition]:
    blueprint = blueprint_of(assets, settings)
    return checks.build_checks(
        blueprint, engines=[engine], findings=False, op_name=f"{name}_checks"
    )
