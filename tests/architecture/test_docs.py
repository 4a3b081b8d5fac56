"""What the documents show works: Python fences run, YAML and JSON parse, commands exist."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from dagster_agent.cli import main
from dagster_agent.model import Asset
from dagster_agent.settings import AssetSettings, Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FENCES = [
    pytest.param(language, code, id=f"{path.relative_to(ROOT)}-{number}-{language}")
    for path in DOCUMENTS
    for number, (language, code) in enumerate(FENCE.findall(path.read_text()))
]
LINK = re.compile(r"\]\((?!https?:|#|/locations)([^)#]+)\)")


@pytest.mark.parametrize(("language", "code"), [f for f in FENCES if f.values[0] == "python"])
def test_python_runs(language: str, code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("language", "code"), [f for f in FENCES if f.values[0] == "yaml"])
def test_yaml_parses(language: str, code: str) -> None:
    assert yaml.safe_load(code)


@pytest.mark.parametrize(("language", "code"), [f for f in FENCES if f.values[0] == "yaml"])
def test_what_stands_in_a_yml_is_valid_there(language: str, code: str) -> None:
    told: Any = yaml.safe_load(code)
    nodes: list[dict[str, Any]] = told.get("models", []) if hasattr(told, "get") else []
    for node in nodes:
        meta = node.get("config", {}).get("meta", {})
        asset = Asset(unique_id="model.p.m", name=node["name"], resource_type="model", meta=meta)
        Settings().for_asset(asset)
        told_of_it = set(meta.get("dagster_agent", {}))
        assert AssetSettings.of(asset).model_fields_set == told_of_it


@pytest.mark.parametrize(("language", "code"), [f for f in FENCES if f.values[0] == "json"])
def test_json_parses(language: str, code: str) -> None:
    assert json.loads(code)


@pytest.mark.parametrize(("language", "code"), [f for f in FENCES if f.values[0] == "bash"])
def test_commands_exist(language: str, code: str) -> None:
    for line in code.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        elif words[:1] == ["dagster-agent"]:
            _assert_options_exist(words[1:])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    missing = [
        target for target in LINK.findall(path.read_text()) if not (path.parent / target).exists()
    ]
    assert not missing


def _assert_options_exist(words: list[str]) -> None:
    depth = 2 if isinstance(main.commands[words[0]], click.Group) else 1
    told = CliRunner().invoke(main, [*words[:depth], "--help"])
    assert told.exit_code == 0, told.output
    for option in (word for word in words if word.startswith("--")):
        assert option in told.output
