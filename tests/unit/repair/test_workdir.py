"""The private copy of a project: what is in it, and that nothing leads out of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import yaml

from dagster_agent.dbt.project import DbtProject
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import FileEdit
from dagster_agent.repair import workdir


@pytest.fixture
def shop(tmp_path: Path) -> DbtProject:
    root = tmp_path / "shop"
    files = {
        "dbt_project.yml": "name: shop\nprofile: shop\ntarget-path: out\n",
        "profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.db}}}",
        "models/a.sql": "select 1",
        "models/target/b.sql": "select 2",
        "data/x.csv": "a",
        "dbt_packages/p/dbt_project.yml": "name: p",
        **dict.fromkeys(("shop.db", "shop.db.wal", "shop.dbx"), "data"),
        **dict.fromkeys(("out/m.json", "target/m.json", "logs/l", ".git/c", ".venv/v"), "x"),
        "models/__pycache__/m.pyc": "x",
        ".state/sandboxes/sandbox-1/x": "x",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return DbtProject.open(root)


def copied(shop: DbtProject, to: Path) -> Path:
    private = shop.root / ".state" / "sandboxes" / "sandbox-1"
    workdir.copy_project(shop, to, private=private)
    return to


def test_code_is_copied_and_artifacts_are_not(shop, tmp_path):
    to = copied(shop, tmp_path / "copy")

    found = {str(p.relative_to(to)) for p in to.rglob("*") if p.is_file()}
    assert found == {
        "dbt_project.yml",
        "profiles.yml",
        "models/a.sql",
        "models/target/b.sql",
        "data/x.csv",
        "dbt_packages/p/dbt_project.yml",
        "shop.dbx",
    }


def test_links_lead_where_they_led(shop, tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "m.sql").write_text("shared")
    links = {
        "models/inside.sql": "a.sql",
        "models/outside.sql": "../../shared/m.sql",
        "dbt_packages/shared": "../../shared",
        "models/absolute.sql": str(tmp_path / "shared" / "m.sql"),
        "models/dangling.sql": "nowhere.sql",
    }
    for name, target in links.items():
        (shop.root / name).symlink_to(target)

    to = copied(shop, tmp_path / "a" / "b" / "copy")

    assert (to / "models" / "inside.sql").readlink() == Path("a.sql")
    assert (to / "models" / "dangling.sql").readlink() == Path("nowhere.sql")
    for name in ("models/outside.sql", "models/absolute.sql", "dbt_packages/shared/m.sql"):
        assert (to / name).read_text() == "shared"


def test_code_outside_the_project_is_told(shop, tmp_path):
    path = shop.root / "dbt_project.yml"
    path.write_text(path.read_text() + "macro-paths: [macros, ../shared]\n")
    with pytest.raises(ConfigError, match=r"macro-paths names .*shared, which lies outside"):
        copied(DbtProject.open(shop.root), tmp_path / "copy")


def test_a_project_that_cannot_be_copied_is_told(shop, tmp_path):
    os.mkfifo(shop.root / "models" / "pipe")
    with pytest.raises(ConnectorError, match="cannot be copied"):
        copied(shop, tmp_path / "copy")


def test_the_profile_is_overlaid_private_and_literal(shop, tmp_path):
    profiles = (
        (shop.root / "profiles.yml")
        .read_text()
        .replace("type: duckdb", "type: duckdb, n: 1, w: '0123'")
    )
    (shop.root / "profiles.yml").write_text(profiles)
    overlay = {"path": "/scratch/shop.db", "attach": [{"alias": "größe", "path": "/x{{y}}.db"}]}

    workdir.write_profile(DbtProject.open(shop.root), tmp_path / "profile", overlay)

    path = tmp_path / "profile" / "profiles.yml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert yaml.safe_load(path.read_text()) == {
        "shop": {
            "target": "dev",
            "outputs": {
                "dev": {
                    "type": "duckdb",
                    "n": 1,
                    "w": "0123",
                    "path": "/scratch/shop.db",
                    "attach": [{"alias": "größe", "path": "{% raw %}/x{{y}}.db{% endraw %}"}],
                }
            },
        }
    }


def test_an_edit_replaces_exactly_the_file_it_expects(shop):
    edit = FileEdit(path="models/a.sql", before="select 1", after="select 'ä'\n")
    assert workdir.apply_edit(edit, shop.root) == b"select 1"
    assert (shop.root / "models" / "a.sql").read_text() == "select 'ä'\n"
    with pytest.raises(ConnectorError, match=r"models/a\.sql changed meanwhile"):
        workdir.apply_edit(edit, shop.root)

    new = FileEdit(path="models/new/b.sql", before=None, after="x")
    assert workdir.apply_edit(new, shop.root) is None
    for again in (new, FileEdit(path="models/gone.sql", before="x", after="y")):
        with pytest.raises(ConnectorError, match="changed meanwhile"):
            workdir.apply_edit(again, shop.root)


def test_line_ends_of_the_file_win(shop):
    path = shop.root / "models" / "a.sql"
    path.write_bytes(b"select 1\r\nfrom a\r\n")
    workdir.apply_edit(
        FileEdit(path="models/a.sql", before="select 1\nfrom a\n", after="select 1\nfrom b\n"),
        shop.root,
    )
    assert path.read_bytes() == b"select 1\r\nfrom b\r\n"


def test_an_edit_never_leaves_the_copy(shop, tmp_path):
    outside = tmp_path / "outside.sql"
    outside.write_text("precious")
    (shop.root / "models" / "link.sql").symlink_to(outside)
    (shop.root / "models" / "up").symlink_to(tmp_path)

    for path in ("models/link.sql", "models/up/outside.sql", "../outside.sql", str(outside)):
        with pytest.raises(ConfigError, match="leaves the dbt project"):
            workdir.apply_edit(FileEdit(path=path, before="precious", after="gone"), shop.root)
    assert outside.read_text() == "precious"
