"""A small real dbt project on DuckDB, and code locations around it."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

from dagster_agent.connectors.state_stores import open_store
from dagster_agent.model import Cause, Finding, Incident, Report, Symptom, SymptomKind, Verdict
from dagster_agent.ports import StateStore
from tests import warm_dbt

real_dbt = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""For tests in which dagster-dbt runs dbt: it calls deprecated parts of dagster and of dbt."""

FILES = {
    "dbt_project.yml": """
name: jaffle
version: "1.0"
profile: jaffle
model-paths: [models]
seed-paths: [seeds]
flags: {send_anonymous_usage_stats: false}
models: {jaffle: {+materialized: table}}
""",
    "profiles.yml": """
jaffle:
  target: dev
  outputs:
    dev: {type: duckdb, path: jaffle.duckdb, threads: 1}
""",
    "seeds/raw_orders.csv": "id,customer_id,amount\n1,1,10\n2,1,20\n3,2,30\n",
    "seeds/raw_customers.csv": "id,name\n1,ada\n2,bea\n",
    "models/stg_orders.sql": """
select id as order_id, customer_id, amount from {{ ref('raw_orders') }}
""",
    "models/stg_events.sql": "select event_id from {{ source('shop', 'events') }}\n",
    "models/only_text.sql": "{{ config(materialized='ephemeral') }} select 1 as one\n",
    "models/fct_orders.sql": """
select orders.order_id, orders.amount, customers.name
from {{ ref('stg_orders') }} as orders
left join {{ ref('raw_customers') }} as customers on customers.id = orders.customer_id
""",
    "models/schema.yml": """
version: 2
sources:
  - name: shop
    schema: main
    tables: [{name: events}, {name: nobody_reads_me}]
models:
  - name: stg_orders
    columns:
      - name: order_id
        data_tests: [unique, not_null]
  - name: fct_orders
    config:
      meta: {dagster_agent: {quality: {validity: {target: 0.01, alert: 0.01}}}}
    columns:
      - name: name
        data_tests:
          - accepted_values: {arguments: {values: [ada]}, config: {severity: warn}}
""",
}


@dataclass(frozen=True)
class Project:
    """A parsed dbt project."""

    root: Path

    @property
    def dbt(self) -> DbtProject:
        return DbtProject(project_dir=self.root, profiles_dir=self.root)

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text)

    def sql(self, statement: str) -> None:
        with duckdb.connect(str(self.root / "jaffle.duckdb")) as connection:
            connection.execute(statement)

    def build_tables(self) -> None:
        """What `dbt build` would leave in the warehouse."""
        for seed in ("raw_orders", "raw_customers"):
            path = self.root / "seeds" / f"{seed}.csv"
            self.sql(f"create or replace table {seed} as from read_csv('{path}')")
        self.sql(
            "create or replace table stg_orders as"
            " select id as order_id, customer_id, amount from raw_orders"
        )
        self.sql("create or replace table stg_events as select event_id from events")
        self.sql(
            "create or replace table fct_orders as select o.order_id, o.amount, c.name"
            " from stg_orders as o left join raw_customers as c on c.id = o.customer_id"
        )


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("parsed") / "jaffle"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    warm_dbt.run(root, "parse")
    return root


@pytest.fixture
def project(parsed: Path, tmp_path: Path) -> Project:
    made = Project(Path(shutil.copytree(parsed, tmp_path / "jaffle")))
    made.sql("create table events as select 1 as event_id")
    return made


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    home = tmp_path / "dagster_home"
    home.mkdir()
    quiet = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(home), overrides=quiet) as made:
        yield made


Body = Callable[[dg.AssetExecutionContext], Iterator[Any]]


def build_everything(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """What dbt would do if all went well, without dbt."""
    layers = ["raw", "stg", "fct"]
    for key in sorted(context.selected_asset_keys, key=lambda k: layers.index(k.path[-1][:3])):
        yield dg.MaterializeResult(asset_key=key)


@pytest.fixture
def definitions_of(project: Project) -> Callable[..., dg.Definitions]:
    """Definitions of the project's dbt assets: built by dbt, or by a body of the test's own."""

    def made(body: Body | None = None, **more: Any) -> dg.Definitions:
        dbt = project.dbt

        @dbt_assets(manifest=dbt.manifest_path, project=dbt, name="jaffle_build")
        def by_dbt(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
            yield from dbt.cli(["build"], context=context).stream()

        @dbt_assets(manifest=dbt.manifest_path, project=dbt, name="jaffle_build")
        def by_hand(context: dg.AssetExecutionContext) -> Iterator[Any]:
            assert body is not None
            yield from body(context)

        resources: Mapping[str, Any] = (
            {}
            if body
            else {"dbt": DbtCliResource(project_dir=dbt, dbt_executable=warm_dbt.executable())}
        )
        assets = [by_hand if body else by_dbt, *more.pop("assets", ())]
        return dg.Definitions(
            assets=assets, resources={**resources, **more.pop("resources", {})}, **more
        )

    return made


@pytest.fixture
def store(instance: dg.DagsterInstance) -> Iterator[StateStore]:
    """The agent's memory on this instance."""
    home = Path(instance.root_directory) / "dagster_agent"
    home.mkdir(exist_ok=True)
    opened = open_store(f"sqlite:///{home / 'state.db'}")
    yield opened
    opened.close()


Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def run(instance: dg.DagsterInstance) -> Run:
    """Execute a job of a location in process; the implicit asset job by default."""

    def execute(
        defs: dg.Definitions,
        *,
        job: str = "__ASSET_JOB",
        assets: list[str] | None = None,
        checks: list[dg.AssetCheckKey] | None = None,
        tags: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> dg.ExecuteInProcessResult:
        definition = defs.resolve_job_def(job)
        if checks is not None:
            definition = definition.get_subset(asset_check_selection=set(checks))
        elif assets is not None:
            keys = {dg.AssetKey.from_user_string(text) for text in assets}
            definition = definition.get_subset(asset_selection=keys)
        return definition.execute_in_process(
            instance=instance,
            raise_on_error=False,
            tags=dict(tags or {}),
            run_config=dict(config or {}),
        )

    return execute


@pytest.fixture
def component_location(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dg.Definitions:
    """A `dg` project whose one component is the dbt project."""
    root = tmp_path / "located"
    defs = root / "located_shop" / "defs" / "dbt"
    defs.mkdir(parents=True)
    (root / "located_shop" / "__init__.py").touch()
    (root / "located_shop" / "defs" / "__init__.py").touch()
    (root / "pyproject.toml").write_text(
        '[tool.dg]\ndirectory_type = "project"\n\n[tool.dg.project]\nroot_module = "located_shop"\n'
    )
    (defs / "defs.yaml").write_text(
        "type: dagster_dbt.DbtProjectComponent\nattributes:\n  project:\n"
        f"    project_dir: {project.root}\n    profiles_dir: {project.root}\n"
    )
    monkeypatch.syspath_prepend(str(root))
    folder = Path(warm_dbt.executable()).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return dg.load_from_defs_folder(path_within_project=root)


MOMENT = datetime(2026, 11, 21, 3, 15, tzinfo=UTC)


def an_incident(**more: Any) -> Incident:
    symptom = Symptom(
        kind=SymptomKind.CHECK_FAILED,
        headline="fct_orders lost rows",
        observed_at=MOMENT,
        asset="model.jaffle.fct_orders",
    )
    values: dict[str, Any] = {
        "id": "I-1a2b3c",
        "fingerprint": "f" * 16,
        "title": "fct_orders lost rows",
        "asset": "model.jaffle.fct_orders",
        "symptoms": (symptom,),
        "opened_at": MOMENT,
        "updated_at": MOMENT,
    }
    return Incident(**{**values, **more})


def a_finding(**more: Any) -> Finding:
    report = Report(
        incident_id="I-1a2b3c",
        asset="model.jaffle.fct_orders",
        verdict=Verdict.CAUSE_FOUND,
        confidence=0.94,
        headline="fct_orders lost 15 % of its rows",
        evidence=(),
        started_at=MOMENT,
        finished_at=MOMENT,
        cause=Cause(
            files=("models/fct_orders.sql",),
            mechanism="an inner join drops rows",
            pattern="inner-join-drops-rows",
        ),
    )
    return Finding(**{"id": "F-3abd25", "report": report, "created_at": MOMENT, **more})
