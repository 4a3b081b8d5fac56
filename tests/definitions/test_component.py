"""The component of a `dg` project: scaffolded, checked, listed, and what it adds to a location.

This file is long because it follows one component from the scaffold to the runs it takes part
in.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.core.package_entry import get_package_objects_in_module
from jsonschema import Draft202012Validator
from pydantic import BaseModel

import dagster_agent
from dagster_agent.definitions import DataOpsAgent, DataOpsAgentComponent
from dagster_agent.definitions.component_schema import attributes_model
from dagster_agent.errors import ConfigError
from dagster_agent.settings import Settings
from tests.warm_dbt import executable

from .conftest import build_everything

# dagster makes asset checks anew in a project of components, with a parameter it calls beta
pytestmark = pytest.mark.filterwarnings("ignore:Parameter `execution_type` of function")

DG = str(Path(sys.executable).with_name("dg"))


def _path() -> str:
    """Where `dbt` is found first, and `dg`."""
    places = (Path(executable()).parent, Path(DG).parent, os.environ["PATH"])
    return os.pathsep.join(map(str, places))


TYPE = "dagster_agent.DataOpsAgentComponent"
_NUMBERS = itertools.count()


class DgProject:
    """A `dg` project with a dbt project inside, and the component of that in `defs/dbt`."""

    def __init__(self, root: Path, dbt_project: Path | None) -> None:
        self.root = root
        self.module = f"located_{next(_NUMBERS)}"
        self.defs = root / self.module / "defs"
        self.defs.mkdir(parents=True)
        for package in (self.defs.parent, self.defs):
            (package / "__init__.py").touch()
        (self.defs.parent / "definitions.py").write_text(
            "from pathlib import Path\nimport dagster as dg\n\n\n@dg.definitions\ndef defs():\n"
            "    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)\n"
        )
        (root / "pyproject.toml").write_text(
            f'[project]\nname = "{self.module}"\nversion = "1"\n\n[tool.dg]\n'
            f'directory_type = "project"\n\n[tool.dg.project]\nroot_module = "{self.module}"\n'
        )
        if dbt_project is not None:
            shutil.copytree(dbt_project, root / "jaffle")
            self.write(
                "dbt",
                "type: dagster_dbt.DbtProjectComponent\nattributes:\n  project:\n"
                "    project_dir: ../../../jaffle\n"
                "    profiles_dir: '{{ context.project_root }}/jaffle'\n",
            )

    def write(self, folder: str, text: str) -> Path:
        path = self.defs / folder / "defs.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def add(self, **attributes: Any) -> Path:
        """Write the agent's `defs.yaml`."""
        given = {"attributes": attributes} if attributes else {}
        return self.write("agent", yaml.safe_dump({"type": TYPE, **given}))

    def load(self) -> dg.Definitions:
        return dg.load_from_defs_folder(path_within_project=self.root)

    def dg(self, *words: str) -> subprocess.CompletedProcess[str]:
        home = self.root / "dagster_home"
        home.mkdir(exist_ok=True)
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        return subprocess.run(
            [DG, *words],
            cwd=self.root,
            env={
                **os.environ,
                "PATH": _path(),
                "PYTHONPATH": str(self.root),
                "DAGSTER_HOME": str(home),
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
                "COLUMNS": "300",
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def scaffolded(parsed: Path, tmp_path_factory: pytest.TempPathFactory) -> DgProject:
    """A project to which `dg scaffold defs` has added the agent."""
    made = DgProject(tmp_path_factory.mktemp("scaffolded"), parsed)
    done = made.dg("scaffold", "defs", TYPE, "agent")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def dg_project(parsed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DgProject:
    root = tmp_path / "located"
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.setenv("PATH", _path())
    return DgProject(root, parsed)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def config_error(project: DgProject) -> ConfigError:
    with pytest.raises(Exception, match="agent") as raised:
        project.load()
    return next(each for each in chain(raised.value) if isinstance(each, ConfigError))


def checks_of(defs: dg.Definitions) -> set[str]:
    return {
        f"{key.asset_key.to_user_string()}:{key.name}"
        for key in defs.resolve_asset_graph().asset_check_keys
        if key.name.startswith("agent_")
    }


# the command line --------------------------------------------------------------------------------
def test_what_dg_scaffolds_is_what_dg_finds_right(scaffolded: DgProject) -> None:
    done = scaffolded.dg("check", "defs")
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout + done.stderr
    assert "All component YAML validated successfully" in told
    assert "All definitions loaded successfully" in told


def test_dg_lists_it_with_its_first_sentence(scaffolded: DgProject) -> None:
    done = scaffolded.dg("list", "components", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout[done.stdout.index("{") :])
    entries = listed if isinstance(listed, list) else next(iter(listed.values()))
    (ours,) = (each for each in entries if each["key"].startswith("dagster_agent."))
    assert ours["key"] == TYPE
    assert ours["summary"].startswith("Watches the dbt assets of this project")


def test_dg_names_field_value_and_line_of_what_is_wrong(scaffolded: DgProject) -> None:
    path = scaffolded.defs / "agent" / "defs.yaml"
    right = path.read_text()
    path.write_text(
        f"type: {TYPE}\n"
        "attributes:\n"
        "  placement: beside\n"
        "  sensr: {}\n"
        "  sensor:\n"
        "    interval_seconds: often\n"
        "  anomaly: {threshold: 99}\n"
        "  schema_drift: {severities: {column-removed: bad}}\n",
    )
    done = scaffolded.dg("check", "yaml")
    path.write_text(right)
    assert done.returncode != 0
    told = re.findall(r"agent/defs\.yaml:(\d+) - \S+ (.*)", done.stdout + done.stderr)
    assert {int(line): text for line, text in told} == {
        3: "attributes.placement 'beside' is not one of ['embedded', 'own_location']",
        4: "attributes.sensr Additional properties are not allowed ('sensr' was unexpected)",
        6: "attributes.sensor.interval_seconds 'often' is not of type 'integer'",
        7: "attributes.anomaly.threshold 99 is greater than the maximum of 10",
        8: "attributes.schema_drift.severities.column-removed"
        " 'bad' is not one of ['info', 'warn', 'error']",
    }


# what is scaffolded, and its schema --------------------------------------------------------------
def test_every_line_that_the_scaffold_comments_out_is_right(scaffolded: DgProject) -> None:
    text = (scaffolded.defs / "agent" / "defs.yaml").read_text()
    assert yaml.safe_load(text)["attributes"] == {"placement": "embedded"}
    shown = re.sub(r"^  #(?=\w)", "  ", text, flags=re.MULTILINE)
    attributes = yaml.safe_load(shown)["attributes"]
    assert set(attributes) == {"placement", "dbt", "exclude", "sensor", "autonomy", "state"}
    attributes_model().model_validate(attributes)
    assert list(Draft202012Validator(SCHEMA).iter_errors(attributes)) == []


SCHEMA = attributes_model().model_json_schema()


def fields_of(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field, however deep, with its schema and the one it refers to."""
    for name, field in schema.get("properties", {}).items():
        inner = SCHEMA["$defs"].get(field.get("$ref", "").rpartition("/")[2], {})
        yield f"{path}{name}", {**inner, **field}
        yield from fields_of(inner, f"{path}{name}.")


def names_of(model: type[BaseModel], path: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{path}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from names_of(field.annotation, f"{path}{name}.")


def test_the_schema_has_every_setting_and_describes_each() -> None:
    described = {name: field.get("description", "") for name, field in fields_of(SCHEMA)}
    assert sorted(described) == sorted([*names_of(Settings), "dbt"])
    assert [name for name, text in described.items() if not text.strip()] == []
    assert described["sensor.interval_seconds"] == (
        "Polling interval: a failure is known within one of these."
    )
    assert described["anomaly"] == "Is this profile unusual?"


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"prefix": "{{ env.PREFIX }}"},
        {"sensor": {"interval_seconds": "{{ env.SECONDS }}"}},
        {"sensor": {"interval_seconds": 30}, "assets": ["a/b"]},
        {"assets": "{{ watched }}"},
        {"anomaly": {"since": "2026-11-01T00:00:00Z"}},
        {"reconciliation": {"max_stale_share": None}},
        {"autonomy": {"tiers": {"open-pull-request": "do-and-notify"}}},
        {"autonomy": {"tiers": {"open-pull-request": 3}}},
        {"placement": "{{ env.PLACEMENT }}"},
    ],
)
def test_what_is_right_passes_both_ways(attributes: dict[str, Any]) -> None:
    assert list(Draft202012Validator(SCHEMA).iter_errors(attributes)) == []
    attributes_model().model_validate(attributes)


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match=r"'sensr' \(did you mean 'sensor'\?\); allowed: anomaly"):
        attributes_model().model_validate({"sensr": {}})


# loaded ------------------------------------------------------------------------------------------
def test_without_attributes_it_watches_all_that_dbt_components_build(
    dg_project: DgProject, definitions_of: Callable[..., dg.Definitions]
) -> None:
    dg_project.add()
    loaded = dg_project.load()
    assert checks_of(loaded) == checks_of(DataOpsAgent().attach(definitions_of(build_everything)))
    assert loaded.get_repository_def().has_sensor_def("agent_watch")


def test_attributes_are_settings_with_templates_filled_in(
    dg_project: DgProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_SECONDS", "45")
    dg_project.add(
        prefix="dataops",
        exclude=["raw_orders"],
        sensor={"interval_seconds": "{{ env.AGENT_SECONDS }}"},
        dbt=["dbt"],
    )
    loaded = dg_project.load()
    sensor = loaded.get_repository_def().get_sensor_def("dataops_watch")
    assert sensor.minimum_interval_seconds == 45
    keys = loaded.resolve_asset_graph().asset_check_keys
    ours = {k.asset_key.to_user_string() for k in keys if k.name.startswith("dataops_")}
    assert "fct_orders" in ours
    assert "raw_orders" not in ours


def test_relative_paths_begin_at_the_folder_of_the_yaml(dg_project: DgProject) -> None:
    dg_project.add(
        placement="own_location",
        project_dir="../../../jaffle",
        profiles_dir="../../../jaffle",
        state={"directory": "memory"},
    )
    shutil.rmtree(dg_project.defs / "dbt")
    loaded = dg_project.load()
    assert "fct_orders:agent_anomaly" in checks_of(loaded)
    with dg.DagsterInstance.ephemeral() as instance:
        done = loaded.resolve_job_def("agent_pause").execute_in_process(
            {"ops": {"pause": {"config": {"switch": "PAUSE"}}}}, instance=instance
        )
    assert done.success
    assert (dg_project.defs / "agent" / "memory" / "state.db").is_file()


def test_it_may_stand_in_the_file_of_the_dbt_component(dg_project: DgProject) -> None:
    path = dg_project.defs / "dbt" / "defs.yaml"
    path.write_text(f"{path.read_text()}---\ntype: {TYPE}\n")
    assert "fct_orders:agent_anomaly" in checks_of(dg_project.load())


def test_dbt_assets_in_python_are_watched_where_they_are_named(dg_project: DgProject) -> None:
    shutil.rmtree(dg_project.defs / "dbt")
    folder = dg_project.defs / "models"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "jaffle.py").write_text(
        "import dagster as dg\nfrom dagster_dbt import DbtProject, dbt_assets\n"
        f"project = DbtProject({str(dg_project.root / 'jaffle')!r})\n"
        "@dbt_assets(manifest=project.manifest_path, project=project)\n"
        "def jaffle(context: dg.AssetExecutionContext): ...\n"
    )
    dg_project.add(dbt=["models"])
    assert "fct_orders:agent_anomaly" in checks_of(dg_project.load())
    dg_project.add()
    assert "there is no dbt asset in this project" in str(config_error(dg_project))


@pytest.mark.parametrize(
    ("attributes", "message", "hint"),
    [
        ({"dbt": ["nowhere"]}, "there is no folder 'nowhere' in", "folders there: agent, dbt"),
        ({"dbt": ["."]}, "the folder '.' holds this component itself", "beside this one"),
        ({"exclude": ["fct_order"]}, "'fct_order' is not the key of", "did you mean fct_orders"),
        (
            {"sensor": {"interval_seconds": "{{ env.AGENT_SECONDS }}"}},
            "setting 'sensor.interval_seconds' is 'often'",
            "docs/settings.md",
        ),
        (
            {"placement": "own_location", "project_dir": "nowhere"},
            "there is no dbt project in",
            "dbt_project.yml",
        ),
    ],
)
def test_what_is_wrong_is_told_in_words(
    dg_project: DgProject,
    monkeypatch: pytest.MonkeyPatch,
    attributes: dict[str, Any],
    message: str,
    hint: str,
) -> None:
    monkeypatch.setenv("AGENT_SECONDS", "often")
    dg_project.add(**attributes)
    error = config_error(dg_project)
    assert message in error.message
    assert hint in error.hint


def test_a_value_that_is_wrong_is_told_with_file_and_line(dg_project: DgProject) -> None:
    dg_project.write("agent", f"type: {TYPE}\nattributes:\n  sensor:\n    interval_seconds: 1\n")
    with pytest.raises(Exception, match="agent") as raised:
        dg_project.load()
    told = "\n".join(str(each) for each in chain(raised.value))
    assert re.search(r"agent/defs\.yaml:4", told)
    assert "greater than or equal to 5" in told


# the type itself ---------------------------------------------------------------------------------
def test_it_is_the_one_component_that_the_package_shows() -> None:
    found = dict(get_package_objects_in_module(dagster_agent))
    assert found == {"DataOpsAgentComponent": DataOpsAgentComponent}


def test_naming_it_imports_nothing() -> None:
    code = (
        "import sys, dagster_agent\n"
        "assert 'DataOpsAgentComponent' in dir(dagster_agent)\n"
        "print(sorted(m for m in sys.modules if m.startswith(('dagster', 'pydantic'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['dagster_agent']"


def test_it_can_be_made_in_python() -> None:
    made = DataOpsAgentComponent(settings={"prefix": "dataops"}, dbt=["dbt"])
    assert (made.settings.prefix, made.dbt) == ("dataops", ("dbt",))
    with pytest.raises(ConfigError, match="unknown setting 'sensr'"):
        DataOpsAgentComponent(settings={"sensr": {}})
