"""`Blueprint`: what is watched, under which names and with which settings."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import dagster as dg

from dagster_agent.definitions.discovery import (
    DbtAssetRef,
    DbtProjectRef,
    discover,
    discover_in,
)
from dagster_agent.definitions.names import ENGINES, Engine, Names
from dagster_agent.errors import ConfigError
from dagster_agent.settings import Settings

Assets = dg.Definitions | Iterable[dg.AssetsDefinition | dg.AssetSpec]
"""dbt assets, or the `Definitions` that hold them."""
SettingsLike = Settings | Mapping[str, Any] | None
"""Settings, a mapping of them, or nothing for the defaults."""


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """Everything that checks, jobs and the sensor need to know of the code location."""

    settings: Settings
    """As validated."""
    refs: tuple[DbtAssetRef, ...]
    """Watched dbt assets, by unique id."""
    ignored: frozenset[dg.AssetKey]
    """dbt assets that the settings leave out."""

    @classmethod
    def of(cls, found: Sequence[DbtAssetRef], settings: Settings) -> Blueprint:
        """Select what is watched.

        Raises:
            ConfigError: A key in the settings is no dbt asset here, nothing is left to watch, or no
                project is known.
        """
        known = {ref.key.to_user_string(): ref for ref in found}
        _require_known((*settings.assets, *settings.exclude), known)
        chosen = set(settings.assets or known) - set(settings.exclude)
        watched = tuple(ref for ref in found if ref.key.to_user_string() in chosen)
        if not watched:
            raise ConfigError(
                "the settings leave no dbt asset to watch",
                hint="take something out of exclude, or do not attach the agent",
            )
        _require_project(watched, settings)
        ignored = frozenset(ref.key for ref in found) - {ref.key for ref in watched}
        return cls(settings=settings, refs=watched, ignored=ignored)

    @cached_property
    def names(self) -> Names:
        """All names behind the prefix of the settings."""
        return Names(self.settings.prefix)

    @cached_property
    def by_key(self) -> Mapping[dg.AssetKey, DbtAssetRef]:
        """Watched assets by asset key."""
        return {ref.key: ref for ref in self.refs}

    @cached_property
    def by_uid(self) -> Mapping[str, DbtAssetRef]:
        """Watched assets by dbt unique id."""
        return {ref.unique_id: ref for ref in self.refs}

    @cached_property
    def keys(self) -> Mapping[str, dg.AssetKey]:
        """Asset key of each watched dbt unique id."""
        return {ref.unique_id: ref.key for ref in self.refs}

    @cached_property
    def projects(self) -> tuple[DbtProjectRef, ...]:
        """The dbt projects, in the order of their first asset."""
        return tuple(dict.fromkeys(ref.project for ref in self.refs))

    def project_of(self, unique_id: str | None) -> DbtProjectRef:
        """The project of an asset; the first one where that is not known."""
        ref = self.by_uid.get(unique_id or "")
        return ref.project if ref else self.projects[0]

    def find(self, text: str) -> DbtAssetRef | None:
        """A watched asset by key (`a/b`), unique id or dbt name; None when that is not one."""
        return next(
            (r for r in self.refs if text in (r.key.to_user_string(), r.unique_id, r.name)), None
        )

    def engines_of(self, ref: DbtAssetRef) -> tuple[Engine, ...]:
        """Engines that judge this asset, in the order in which their checks run."""
        return tuple(engine for engine in ENGINES if engine in ref.engines)

    def check_keys(
        self, ref: DbtAssetRef, engines: Iterable[Engine] = ENGINES
    ) -> tuple[dg.AssetCheckKey, ...]:
        """Keys of those of the engines' checks that this asset has."""
        wanted = set(engines)
        return tuple(
            dg.AssetCheckKey(ref.key, self.names.check(engine))
            for engine in self.engines_of(ref)
            if engine in wanted
        )

    def open_findings_key(self, ref: DbtAssetRef) -> dg.AssetCheckKey:
        """Key of the asset's check that shows its open findings."""
        return dg.AssetCheckKey(ref.key, self.names.open_findings)


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


def _require_known(wanted: Iterable[str], known: Mapping[str, DbtAssetRef]) -> None:
    for text in wanted:
        if text not in known:
            near = difflib.get_close_matches(text, known, n=3, cutoff=0.5)
            hint = (
                f"did you mean {' or '.join(near)}?" if near else "no dbt asset has a similar key"
            )
            raise ConfigError(f"{text!r} is not the key of a dbt asset here", hint=hint)


def _require_project(refs: Iterable[DbtAssetRef], settings: Settings) -> None:
    for ref in refs:
        if settings.project_dir is None and ref.project.project_dir is None:
            raise ConfigError(
                f"the dbt assets do not tell where their project lies ({ref.key.to_user_string()})",
                hint="pass project= to @dbt_assets, or set project_dir in the settings",
            )
