"""Opening a dbt project: where the profile is found, how it is rendered, what is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.dbt import profiles
from dagster_agent.dbt.project import DbtProject
from dagster_agent.errors import ConfigError

PROJECT = "name: shop\nversion: '1.0'\nprofile: shop\n"
PROFILES = "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: shop.duckdb}\n"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("DBT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / "models").mkdir(parents=True)
    (root / "dbt_project.yml").write_text(PROJECT)
    (root / "profiles.yml").write_text(PROFILES)
    (root / "models" / "a.sql").write_text("select 1")
    return root


def test_open(root):
    project = DbtProject.open(root)

    assert (project.name, project.profile_name, project.target_name) == ("shop", "shop", "dev")
    assert project.adapter_type == "duckdb"
    assert project.root == root
    assert project.profiles_dir == root
    assert project.output == {"type": "duckdb", "path": str(root / "shop.duckdb")}


def test_secrets_are_not_printed(root):
    (root / "profiles.yml").write_text(
        PROFILES.replace("type: duckdb", "type: postgres, password: hunter2")
    )
    assert "hunter2" not in repr(DbtProject.open(root))


def test_places_of_the_profile_in_dbts_order(root, tmp_path, monkeypatch):
    def put(folder: Path, name: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "profiles.yml").write_text(PROFILES.replace("shop.duckdb", name))
        return folder

    home, named, explicit = (tmp_path / n for n in ("home/.dbt", "named", "explicit"))
    put(home, "home.duckdb")
    assert DbtProject.open(root).profiles_dir == root
    (root / "profiles.yml").unlink()
    assert DbtProject.open(root).profiles_dir == home
    monkeypatch.setenv("DBT_PROFILES_DIR", str(put(named, "named.duckdb")))
    assert DbtProject.open(root).profiles_dir == named
    assert DbtProject.open(root, profiles_dir=put(explicit, "x.duckdb")).profiles_dir == explicit
    with pytest.raises(ConfigError, match=r"no profiles\.yml in"):
        DbtProject.open(root, profiles_dir=tmp_path)


def test_the_target_asked_for_wins(root, monkeypatch):
    outputs = (
        "    dev: {type: duckdb, path: d.db}\n"
        "    prod: {type: duckdb, path: '{{ env_var(\"P\") }}'}\n"
    )
    (root / "profiles.yml").write_text(
        f"shop:\n  target: \"{{{{ env_var('T', 'dev') }}}}\"\n  outputs:\n{outputs}"
    )

    assert DbtProject.open(root).target_name == "dev"  # prod's missing variable does not matter
    with pytest.raises(
        ConfigError, match=r"shop\.outputs\.prod\.path: the environment variable P is not set"
    ):
        DbtProject.open(root, target="prod")
    monkeypatch.setenv("P", "/data/prod.db")
    assert DbtProject.open(root, target="prod").output["path"] == "/data/prod.db"
    monkeypatch.setenv("T", "prod")
    assert DbtProject.open(root).target_name == "prod"
    monkeypatch.setenv("DBT_TARGET", "dev")
    assert DbtProject.open(root).target_name == "dev"
    with pytest.raises(ConfigError, match=r"no target 'qa' .*known there: dev, prod"):
        DbtProject.open(root, target="qa")


def test_values_keep_the_types_that_dbt_gives_them(monkeypatch):
    monkeypatch.setenv("PORT", "5432")
    monkeypatch.setenv("DBT_ENV_SECRET_WORD", "s3cret")
    rendered = profiles.render(
        {
            "port": "{{ env_var('PORT') | as_number }}",
            "text": "{{ env_var('PORT') }}",
            "flag": "{{ env_var('FLAG', 'True') | as_bool }}",
            "list": ["{{ env_var('L', '[1, 2]') | as_native }}", 7, None, True],
            "mixed": "host-{{ env_var('PORT') }}.x",
            "secret": "{{ env_var('DBT_ENV_SECRET_WORD') }}",
            "password": "100%{{",
            "plain": "{braces}",
        },
        where="p",
    )
    assert rendered == {
        "port": 5432,
        "text": "5432",
        "flag": True,
        "list": [[1, 2], 7, None, True],
        "mixed": "host-5432.x",
        "secret": "s3cret",
        "password": "100%{{",
        "plain": "{braces}",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ env_var('GONE') }}", "the environment variable GONE is not set"),
        ("{{ env_var('GONE', 'x') | as_number }}", "the value is no number"),
        ("{{ env_var('GONE', '1') | as_bool }}", "the value is no bool"),
        ("{{ target.name }}", "cannot be rendered"),
        ("{{ unclosed", "cannot be rendered"),
        ("{{ ''.__class__.__mro__ }}", "cannot be rendered"),
    ],
)
def test_what_cannot_be_rendered_is_named(text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        profiles.render(text, where="profiles.yml: shop.x")
    assert caught.value.message.startswith("profiles.yml: shop.x")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_characters="{")),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=8,
    )
)
def test_values_without_jinja_stay_as_they_are(value):
    assert profiles.render(value, where="x") == value


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("dbt_project.yml", "", "is empty or holds no mapping"),
        ("dbt_project.yml", "a: [", "is no valid YAML"),
        ("dbt_project.yml", "version: 1", "gives no `name`"),
        ("dbt_project.yml", "name: shop", "gives no `profile`"),
        (
            "dbt_project.yml",
            "name: shop\nprofile: other",
            "no profile 'other' in .*known there: shop",
        ),
        ("profiles.yml", "", "is empty"),
        ("profiles.yml", "- a", "holds no mapping"),
        ("profiles.yml", "\tshop: 1", "is no valid YAML"),
        ("profiles.yml", "shop:", "profile 'shop' in .* is no mapping"),
        ("profiles.yml", "shop: {target: dev}", "no outputs of the profile 'shop'"),
        ("profiles.yml", "shop: {outputs: {}}", "no target 'default'"),
        ("profiles.yml", "shop: {target: dev, outputs: {dev: x}}", "target 'dev' .* is no mapping"),
        ("profiles.yml", "shop: {target: dev, outputs: {dev: {path: x}}}", "has no `type`"),
    ],
)
def test_a_broken_file_says_what_is_wrong(root, file, content, message):
    (root / file).write_text(content)
    with pytest.raises(ConfigError, match=message) as caught:
        DbtProject.open(root)
    assert caught.value.hint


def test_bytes_that_are_no_text_are_an_error(root):
    (root / "profiles.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        DbtProject.open(root)


def test_the_wrong_folder_is_told(root, tmp_path):
    with pytest.raises(ConfigError, match=r"no dbt_project\.yml in .*there is one in shop"):
        DbtProject.open(tmp_path)
    with pytest.raises(ConfigError, match="there is no folder"):
        DbtProject.open(tmp_path / "nowhere")


def test_paths_of_duckdb_files_count_from_the_project(root):
    output = (
        "    dev:\n      type: duckdb\n      path: 'data/größe 1.duckdb'\n      attach:\n"
        "        - {path: other.duckdb, alias: o}\n"
        "        - {path: 'md:cloud'}\n"
        "        - {path: /x/y.duckdb}\n"
    )
    (root / "profiles.yml").write_text(f"shop:\n  target: dev\n  outputs:\n{output}")
    found = DbtProject.open(root).output

    assert found["path"] == str(root / "data" / "größe 1.duckdb")
    assert [entry["path"] for entry in found["attach"]] == [
        str(root / "other.duckdb"),
        "md:cloud",
        "/x/y.duckdb",
    ]

    for path in (":memory:", "md:shop", "/abs/x.duckdb", "~/x.duckdb"):
        (root / "profiles.yml").write_text(PROFILES.replace("shop.duckdb", f"'{path}'"))
        assert DbtProject.open(root).output["path"] == path


def test_the_digest_follows_code_and_settings_and_nothing_else(root, monkeypatch):
    project = DbtProject.open(root)
    seen = {project.digest()}
    assert project.digest() in seen

    (root / "target").mkdir()
    (root / "target" / "manifest.json").write_text("{}")
    (root / "logs").mkdir()
    (root / "shop.duckdb").write_text("data")
    assert project.digest() in seen

    changes = [
        ("models/a.sql", "select 2"),
        ("models/new/größe.sql", "select 3"),
        ("models/target/x.sql", "select 4"),
        ("seeds/s.csv", "a\n1\n"),
        ("macros/m.sql", "{% macro m() %}{% endmacro %}"),
        ("tests/t.sql", "select 1"),
        ("packages.yml", "packages: []"),
        ("dbt_packages/p/dbt_project.yml", "name: p"),
        ("dbt_project.yml", PROJECT + "models: {}\n"),
    ]
    for name, text in changes:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        digest = project.digest()
        assert digest not in seen, name
        seen.add(digest)
    (root / "models" / "a.sql").unlink()
    assert project.digest() not in seen
    (root / "profiles.yml").write_text(PROFILES.replace("shop.duckdb", "other.duckdb"))
    assert DbtProject.open(root).digest() not in seen


def test_the_digest_of_a_dangling_link_or_unreadable_name(root):
    (root / "models" / "dangling.sql").symlink_to(root / "nowhere")
    Path(os.fsdecode(os.fsencode(root) + b"/models/\xff.sql")).write_text("x")
    assert len(DbtProject.open(root).digest()) == 32
