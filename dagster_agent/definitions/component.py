"""`DataOpsAgentComponent`: the agent as one `defs.yaml` of a `dg` project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster.components.core.defs_module import ComponentLoc
from pydantic import BaseModel

from dagster_agent.definitions.agent import DataOpsAgent, agent_definitions
from dagster_agent.definitions.component_scaffolder import DataOpsAgentScaffolder
from dagster_agent.definitions.component_schema import attributes_model
from dagster_agent.definitions.discovery import DbtAssetRef, discover
from dagster_agent.errors import ConfigError
from dagster_agent.settings import Settings


@dg.scaffold_with(DataOpsAgentScaffolder)
class DataOpsAgentComponent(dg.Component, dg.Resolvable):
    """Watches the dbt assets of this project: finds, proves and repairs what breaks in them.

    Adds asset checks (reconciliation, schema drift, anomaly, open findings), jobs, sensors and
    three assets for what every `DbtProjectComponent` of the project builds. Works without any
    attribute. Attributes are the settings of `docs/settings.md`; the schema describes each.

    Args:
        settings: Settings, a mapping of them, or nothing for the defaults.
        dbt: Folders of the dbt components to watch, relative to the `defs` folder; empty: every
            `DbtProjectComponent` of the project.
    """

    def __init__(
        self, settings: Settings | Mapping[str, Any] | None = None, dbt: Sequence[str] = ()
    ) -> None:
        self.settings = Settings.parse(settings)
        self.dbt = tuple(dbt)

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What `dg` says of this type."""
        return dg.ComponentTypeSpec(
            tags=["dbt", "data-quality"], produces=["asset", "asset_check", "job", "sensor"]
        )

    @classmethod
    def model(cls) -> type[BaseModel]:
        """Schema of the attributes."""
        return attributes_model()

    @classmethod
    def resolve_from_model(
        cls, context: dg.ResolutionContext, model: BaseModel
    ) -> DataOpsAgentComponent:
        """The component as `defs.yaml` describes it, with its templates filled in.

        Raises:
            ConfigError: What a template gives is wrong.
        """
        written = model.model_dump(exclude_unset=True, warnings=False)
        # dagster's other overloads name a bare Mapping
        given = context.resolve_value(  # pyright: ignore[reportUnknownMemberType] # see above
            written, as_type=dict[str, Any]
        )
        return cls(dbt=given.pop("dbt", ()), settings=given)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The agent's definitions for the dbt assets that are found.

        Raises:
            ConfigError: There is no dbt component, a folder in `dbt` holds no dbt asset, or a
                setting is wrong.
        """
        settings = _anchored(self.settings, context.path)
        if settings.placement == "own_location":
            return DataOpsAgent(settings).own_location()
        return agent_definitions(self._watched(context), settings)

    def _watched(self, context: dg.ComponentLoadContext) -> list[DbtAssetRef]:
        from dagster_dbt import DbtProjectComponent

        locs = (
            [self._named(folder, context) for folder in self.dbt]
            if self.dbt
            else _components(context, DbtProjectComponent)
        )
        found: dict[str, DbtAssetRef] = {}
        for loc in locs:
            found |= {ref.unique_id: ref for ref in discover(context.build_defs(loc))}
        if not found:
            raise ConfigError(
                f"there is no dbt asset in {', '.join(self.dbt) or 'this project'}",
                hint="add a dagster_dbt.DbtProjectComponent, or name in the attribute dbt the"
                " folders that define dbt assets",
            )
        return [found[uid] for uid in sorted(found)]

    def _named(self, folder: str, context: dg.ComponentLoadContext) -> Path:
        path = (context.defs_module_path / folder).resolve()
        if not path.exists():
            folders = (each for each in context.defs_module_path.iterdir() if each.is_dir())
            known = sorted(each.name for each in folders if not each.name.startswith("_"))
            raise ConfigError(
                f"dbt: there is no folder {folder!r} in {context.defs_module_path}",
                hint=f"folders there: {', '.join(known)}",
            )
        if context.path.resolve().is_relative_to(path):
            raise ConfigError(
                f"dbt: the folder {folder!r} holds this component itself",
                hint="name the folder of the dbt component, beside this one",
            )
        return path


def _components(context: dg.ComponentLoadContext, kind: type[dg.Component]) -> list[ComponentLoc]:
    """Where the components of that kind are declared, once each."""
    ours = context.component_loc.without_instance_key()
    found: dict[ComponentLoc, None] = {}
    for loc, declared in _declared(context):
        if isinstance(declared, type) and issubclass(declared, kind):
            # a whole file comes with its post-processing; from our own, only what is not ours
            whole = loc.without_instance_key()
            found[loc if whole == ours else whole] = None
    return list(found)


def _declared(context: dg.ComponentLoadContext) -> list[tuple[ComponentLoc, object]]:
    """Place and type of all components of the project; dagster leaves their type parameter open."""
    tree: Any = context.component_tree.find_root_decl()
    return [(loc, each.component_type) for loc, each in tree.iterate_loc_component_decl_pairs()]


def _anchored(settings: BaseModel, folder: Path) -> Any:
    """The settings with relative paths taken from the folder of the `defs.yaml`."""
    changed: dict[str, Any] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            changed[name] = _anchored(value, folder)
        elif isinstance(value, Path):
            changed[name] = folder / value
    return settings.model_copy(update=changed)
