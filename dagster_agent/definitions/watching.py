"""How our sensors are made: alike, but for what a tick does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dagster as dg

from dagster_agent.connectors.orchestrators.dagster import KIND_TAG
from dagster_agent.definitions.blueprint import Blueprint
from dagster_agent.definitions.jobs import Job

Tick = Callable[[Blueprint, dg.SensorEvaluationContext], dg.SensorResult | dg.SkipReason]
"""What a sensor does each time."""


def watching_sensor(
    blueprint: Blueprint,
    name: str,
    tick: Tick,
    *,
    description: str,
    jobs: Sequence[Job],
    interval_seconds: int,
    wanted: bool = True,
) -> dg.SensorDefinition:
    """A sensor of ours.

    Args:
        blueprint: What is watched.
        name: Of the sensor.
        tick: What it does each time.
        description: What it is for.
        jobs: That it may launch.
        interval_seconds: At least so long from tick to tick.
        wanted: It runs from the start, unless the settings say that no sensor does.
    """
    running = blueprint.settings.sensor.running_by_default and wanted
    status = dg.DefaultSensorStatus

    # dagster annotates a metadata parameter, which is not used here, with a bare PathLike.
    @dg.sensor(  # pyright: ignore[reportUnknownMemberType] # see above
        name=name,
        jobs=list(jobs),
        minimum_interval_seconds=interval_seconds,
        default_status=status.RUNNING if running else status.STOPPED,
        description=description,
        tags={KIND_TAG: "watch"},
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        return tick(blueprint, context)

    return watch
