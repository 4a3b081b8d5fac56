from collections.abc import Callable

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets

from dagster_agent.definitions import DbtProjectRef, discover
from dagster_agent.definitions.discovery import discover_in
from tests.warm_dbt import executable

from .conftest import Project, build_everything


def test_models_seeds_and_the_sources_they_read_are_found(
    project: Project, definitions_of: Callable[..., dg.Definitions]
) -> None:
    found = {ref.unique_id: ref for ref in discover(definitions_of())}
    assert list(found) == [
        "model.jaffle.fct_orders",
        "model.jaffle.stg_events",
        "model.jaffle.stg_orders",
        "seed.jaffle.raw_customers",
        "seed.jaffle.raw_orders",
        "source.jaffle.shop.events",
    ]
    fct = found["model.jaffle.fct_orders"]
    assert fct.key == dg.AssetKey(["fct_orders"])
    assert fct.path == "models/fct_orders.sql"
    assert fct.parents == ("model.jaffle.stg_orders", "seed.jaffle.raw_customers")
    assert fct.project == DbtProjectRef(
        project_dir=project.root, profiles_dir=project.root, target=None
    )
    assert found["source.jaffle.shop.events"].key == dg.AssetKey(["shop", "events"])


def test_a_translator_decides_about_the_keys_of_sources(project: Project) -> None:
    class Prefixed(DagsterDbtTranslator):
        def get_asset_key(self, dbt_resource_props: object) -> dg.AssetKey:
            return super().get_asset_key(dbt_resource_props).with_prefix("lake")  # type: ignore[arg-type]

    @dbt_assets(manifest=project.dbt.manifest_path, dagster_dbt_translator=Prefixed())
    def assets(context: dg.AssetExecutionContext):
        yield from build_everything(context)

    keys = {ref.unique_id: ref.key.to_user_string() for ref in discover_in([assets])}
    assert keys["source.jaffle.shop.events"] == "lake/shop/events"
    assert keys["model.jaffle.fct_orders"] == "lake/fct_orders"


def test_without_project_metadata_a_dbt_resource_tells_where_the_project_is(
    project: Project,
) -> None:
    @dbt_assets(manifest=project.dbt.manifest_path)
    def assets(context: dg.AssetExecutionContext):
        yield from build_everything(context)

    resource = DbtCliResource(
        project_dir=str(project.root), profiles_dir=str(project.root), dbt_executable=executable()
    )
    told = discover(dg.Definitions(assets=[assets], resources={"dbt": resource}))
    untold = discover(dg.Definitions(assets=[assets]))
    assert told[0].project.project_dir == project.root
    assert untold[0].project.project_dir is None


def test_the_component_is_found_like_the_decorator(
    project: Project, component_location: dg.Definitions
) -> None:
    found = {ref.unique_id: ref for ref in discover(component_location)}
    assert found["model.jaffle.fct_orders"].key == dg.AssetKey(["fct_orders"])
    told = found["model.jaffle.fct_orders"].project
    assert told.project_dir is not None
    assert (told.project_dir / "models/fct_orders.sql").is_file()
    assert "source.jaffle.shop.events" in found
    assert "model.jaffle.only_text" not in found


def test_assets_of_others_are_no_dbt_assets() -> None:
    @dg.asset
    def plain() -> None: ...

    assert discover(dg.Definitions(assets=[plain, dg.AssetSpec("outside")])) == ()


def test_a_subset_of_the_project_is_only_that_subset(project: Project) -> None:
    @dbt_assets(manifest=project.dbt.manifest_path, project=project.dbt, select="stg_orders")
    def some(context: dg.AssetExecutionContext):
        yield from build_everything(context)

    assert [ref.name for ref in discover_in([some])] == ["stg_orders"]
