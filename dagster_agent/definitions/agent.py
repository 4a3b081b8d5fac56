"""`DataOpsAgent`: the one line by which a code location gets the agent."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_agent.connectors.orchestrators.dagster import KIND_TAG
from dagster_agent.definitions.assets import agent_assets
from dagster_agent.definitions.blueprint import Blueprint, all_check_keys
from dagster_agent.definitions.checks import build_checks
from dagster_agent.definitions.decide_jobs import build_accept_schema_job, build_decide_job
from dagster_agent.definitions.discovery import DbtAssetRef, discover, specs_of
from dagster_agent.definitions.drift_sensor import build_drift_sensor
from dagster_agent.definitions.expected_job import build_expected_job
from dagster_agent.definitions.investigate_job import build_job
from dagster_agent.definitions.jobs import Job, checks_job
from dagster_agent.definitions.own_location import assets_of_project, settings_there
from dagster_agent.definitions.pause_jobs import build_pause_job
from dagster_agent.definitions.retries import retry_job
from dagster_agent.definitions.sensors import build_sensor
from dagster_agent.definitions.silence_sensor import build_silence_sensor
from dagster_agent.definitions.steer_jobs import build_steer_job
from dagster_agent.definitions.workspaces import state_directory
from dagster_agent.errors import ConfigError
from dagster_agent.model import Finding
from dagster_agent.settings import Settings

if TYPE_CHECKING:
    from dagster_dbt import DagsterDbtTranslator, DbtProject


class DataOpsAgent:
    """Watches the dbt assets of a code location.

    Args:
        settings: Settings, a mapping of them, or nothing for the defaults.

    Raises:
        ConfigError: A setting is unknown or wrong.
    """

    def __init__(self, settings: Settings | Mapping[str, Any] | None = None) -> None:
        self.settings = Settings.parse(settings)

    def attach(self, defs: dg.Definitions) -> dg.Definitions:
        """The same definitions with the agent's checks, jobs, sensor and assets added.

        Nothing is resolved and nothing of the customer's is changed. What is attached already is
        left alone.

        Raises:
            ConfigError: A key in the settings is no dbt asset here, the dbt project is not known,
                a name is taken by something that is not the agent's, or the settings place the
                agent in a location of its own.
        """
        if self.settings.placement != "embedded":
            raise ConfigError(
                f"setting 'placement' is {self.settings.placement!r}: nothing is attached then",
                hint="call DataOpsAgent(settings).own_location(project) in a second code location",
            )
        found = discover(defs)
        if not found:
            warnings.warn(
                "dagster_agent found no dbt assets in these definitions and adds nothing: attach it"
                " to the Definitions that hold what @dbt_assets or a DbtProjectComponent made",
                UserWarning,
                stacklevel=2,
            )
            return defs
        present = _Present.of(defs)
        added = _definitions(Blueprint.of(found, self.settings), present)
        return dg.Definitions.merge(defs, added)

    def own_location(
        self,
        project: DbtProject | str | Path | None = None,
        *,
        manifest: Mapping[str, Any] | str | Path | None = None,
        translator: DagsterDbtTranslator | None = None,
        select: str = "fqn:*",
        exclude: str = "",
    ) -> dg.Definitions:
        """All that a second code location needs to watch a dbt project that another one builds.

        The checks show on the assets as if they were attached, but no run of the other location
        plans them. The sensor sees every run that builds or checks one of these assets.

        Args:
            project: The dbt project or its folder; by default `project_dir` of the settings.
            manifest: Its manifest; by default the one in the project's target folder.
            translator: The one that the other location makes its dbt assets with: asset keys must
                come out the same.
            select: dbt selection of the other location's dbt assets.
            exclude: dbt exclusion of the other location's dbt assets.

        Raises:
            ConfigError: There is no such project, no manifest, no asset in it, or a key in the
                settings is none of its assets.
        """
        found = assets_of_project(
            self.settings,
            project=project,
            manifest=manifest,
            translator=translator,
            select=select,
            exclude=exclude,
        )
        return agent_definitions(found, settings_there(self.settings))

    def findings(self, instance: dg.DagsterInstance) -> Sequence[Finding]:
        """What was found in this code location, newest first; for scripts and tests.

        Args:
            instance: The Dagster instance whose runs wrote them.
        """
        from dagster_agent.connectors.state_stores import open_store

        folder = state_directory(self.settings, instance)
        with closing(open_store(self.settings.state.url_in(folder))) as store:
            return store.findings()


def agent_definitions(
    refs: Sequence[DbtAssetRef], settings: Settings | Mapping[str, Any] | None = None
) -> dg.Definitions:
    """The agent's definitions for these dbt assets, to be merged with the ones they come from.

    Args:
        refs: From `discover`.
        settings: As of `DataOpsAgent`.

    Raises:
        ConfigError: As `DataOpsAgent.attach`.
    """
    nothing = _Present(assets=frozenset(), checks=frozenset(), jobs={}, sensors={})
    return _definitions(Blueprint.of(refs, Settings.parse(settings)), nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Present:
    """What a code location has already."""

    assets: frozenset[dg.AssetKey]
    checks: frozenset[dg.AssetCheckKey]
    jobs: Mapping[str, Job]
    sensors: Mapping[str, dg.SensorDefinition]

    @classmethod
    def of(cls, defs: dg.Definitions) -> _Present:
        known: Iterable[object] = defs.asset_checks or ()
        with_checks = [
            d for d in (*known, *(defs.assets or ())) if isinstance(d, dg.AssetsDefinition)
        ]
        return cls(
            assets=frozenset(spec.key for spec in specs_of(defs.assets or ())),
            checks=frozenset(key for d in with_checks for key in d.check_keys),
            jobs={j.name: j for j in defs.jobs or ()},
            sensors={s.name: s for s in defs.sensors or ()},
        )

    def job(self, name: str, kind: str) -> Job | None:
        """The job of that name, if it is ours; None if the name is free."""
        job = self.jobs.get(name)
        if job is not None and (job.tags or {}).get(KIND_TAG) != kind:
            raise _taken(f"the job {name!r}")
        return job

    def sensor(self, name: str) -> dg.SensorDefinition | None:
        """The sensor of that name, if it is ours; None if the name is free."""
        sensor = self.sensors.get(name)
        if sensor is not None and sensor.tags.get(KIND_TAG) != "watch":
            raise _taken(f"the sensor {name!r}")
        return sensor


def _definitions(blueprint: Blueprint, present: _Present) -> dg.Definitions:
    names = blueprint.names
    keys = all_check_keys(blueprint)
    investigate = present.job(names.investigate_job, "investigate") or build_job(blueprint)
    measure = present.job(names.checks_job, "checks") or checks_job(blueprint, keys)
    launched = [investigate, measure]
    if blueprint.settings.placement == "embedded":
        # only where the customer's assets are can a run of ours build them
        launched.append(present.job(names.retry_job, "retry") or retry_job(blueprint))
    sensors = [
        *_new(present.sensor(names.watch_sensor), lambda: build_sensor(blueprint, launched)),
        *_new(present.sensor(names.drift_sensor), lambda: build_drift_sensor(blueprint, measure)),
        *_new(
            present.sensor(names.silence_sensor),
            lambda: build_silence_sensor(blueprint, investigate),
        ),
    ]
    return dg.Definitions(
        assets=_new_assets(blueprint, present),
        asset_checks=build_checks(blueprint, without=present.checks),
        jobs=[*(j for j in launched if j.name not in present.jobs), *_forms(blueprint, present)],
        sensors=sensors,
    )


def _forms(blueprint: Blueprint, present: _Present) -> list[dg.JobDefinition]:
    """The jobs that people launch, as far as the location does not have them."""
    names = blueprint.names
    offered = {
        names.decide_job: ("decide", build_decide_job),
        names.accept_schema_job: ("accept-schema", build_accept_schema_job),
        names.expected_job: ("expected", build_expected_job),
        names.steer_job: ("steer", build_steer_job),
        names.pause_job: ("pause", build_pause_job),
    }
    return [
        build(blueprint)
        for name, (kind, build) in offered.items()
        if present.job(name, kind) is None
    ]


def _new(
    present: dg.SensorDefinition | None, build: Callable[[], dg.SensorDefinition]
) -> list[dg.SensorDefinition]:
    return [] if present is not None else [build()]


def _new_assets(blueprint: Blueprint, present: _Present) -> list[dg.AssetSpec]:
    """Our assets, or none of them where they are there; some of them are somebody else's."""
    ours = agent_assets(blueprint.names)
    taken = [spec for spec in ours if spec.key in present.assets]
    if taken and len(taken) < len(ours):
        raise _taken(f"the asset {taken[0].key.to_user_string()!r}")
    return [] if taken else ours


def _taken(what: str) -> ConfigError:
    return ConfigError(
        f"{what} exists already and is not the agent's",
        hint="give the agent another prefix in its settings: {'prefix': 'dataops'}",
    )
