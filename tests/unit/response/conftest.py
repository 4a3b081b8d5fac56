"""A parsed dbt project of one model, for what needs a workspace and no warehouse."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests import warm_dbt

_FILES = {
    "dbt_project.yml": "name: case\nprofile: case\nmodels: {case: {+materialized: table}}\n",
    "profiles.yml": "case: {target: dev, outputs: {dev: {type: duckdb, path: case.duckdb}}}\n",
    "models/stg.sql": "select 1 as id\n",
}


@pytest.fixture(scope="session")
def case_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("case")
    for name, text in _FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    duckdb.connect(str(root / "case.duckdb")).close()
    warm_dbt.run(root, "compile")
    return root
