"""Reading history: what a commit is, renames, odd names, odd repositories."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.git.repository import GitRepository

MODEL = "dbt/models/orders.sql"


def opened(path: Path) -> GitRepository:
    repository = GitRepository.discover(path)
    assert repository is not None
    return repository


def test_log_tells_who_when_and_what_newest_first(shop, run):
    commits = opened(shop / "dbt").log([MODEL], limit=10)

    assert [c.subject for c in commits] == ["Join b", "Begin"]
    assert commits[0].sha == run("rev-parse", "HEAD")
    assert commits[0].at == datetime(2026, 11, 2, 6, tzinfo=UTC)
    assert commits[0].author == "Ada"
    assert commits[0].files == (MODEL,)


def test_log_keeps_to_limit_and_since(shop):
    repository = opened(shop)

    assert [c.subject for c in repository.log([], limit=1)] == ["Join b"]
    assert [
        c.subject for c in repository.log([], limit=9, since=datetime(2026, 11, 2, tzinfo=UTC))
    ] == ["Join b"]
    assert repository.log(["no/such/file"], limit=9) == ()


def test_a_file_is_followed_through_its_rename(shop, run):
    run("mv", MODEL, "dbt/models/fct_orders.sql")
    run("commit", "--quiet", "--message", "Rename", day=3)

    commits = opened(shop).log(["dbt/models/fct_orders.sql"], limit=10)

    assert [c.subject for c in commits] == ["Rename", "Join b", "Begin"]
    assert [c.files for c in commits] == [("dbt/models/fct_orders.sql",), (MODEL,), (MODEL,)]


def test_names_with_quotes_spaces_and_umlauts_arrive_whole(shop, run):
    name = 'dbt/models/größe "x" \t*.sql'
    (shop / name).write_text("select 'ä'\n")
    run("add", "--all")
    run("commit", "--quiet", "--message", "Ünïcode — “quotes”", day=3)

    repository = opened(shop)
    (commit,) = repository.log([name], limit=5)

    assert commit.files == (name,)
    assert commit.subject == "Ünïcode — “quotes”"
    assert repository.file_at(commit.sha, name) == "select 'ä'\n"
    assert repository.log(["dbt/models/*.sql"], limit=5) == ()  # a name, no pattern


def test_file_at_and_diff(shop):
    repository = opened(shop)
    newest, oldest = repository.log([MODEL], limit=10)

    assert repository.file_at(oldest.sha, MODEL) == "select 1 as id\n"
    assert repository.file_at(oldest.sha, "dbt/models") is None
    assert repository.file_at(oldest.sha, "gone.sql") is None
    assert "+from a left join b\n" in repository.diff(newest.sha, MODEL)
    assert repository.diff(newest.sha, "README") == ""


def test_dirty_names_changed_and_untracked_files(shop, run):
    repository = opened(shop)
    assert repository.dirty() == ()

    (shop / MODEL).write_text("changed")
    (shop / "dbt" / "neu ä.sql").write_text("new")
    (shop / "README").write_text("elsewhere")

    assert repository.dirty(["dbt"]) == (MODEL, "dbt/neu ä.sql")
    assert repository.dirty() == ("README", MODEL, "dbt/neu ä.sql")


def test_no_repository_is_none(tmp_path):
    assert GitRepository.discover(tmp_path) is None


def test_a_bare_repository_is_none(shop, tmp_path):
    assert GitRepository.discover(tmp_path / "shop.git") is None


def test_an_empty_repository_has_no_history(tmp_path, run):
    (tmp_path / "shop").mkdir()
    run("init", "--quiet")

    repository = opened(tmp_path / "shop")

    assert repository.head() is None
    assert repository.log(["a"], limit=5) == ()
    assert repository.default_branch() is None
    assert repository.remote_url() is None


def test_detached_head_has_no_branch(shop, run):
    assert opened(shop).branch() == "main"
    run("checkout", "--quiet", "--detach")
    assert opened(shop).branch() is None
    assert opened(shop).head() == run("rev-parse", "main")


def test_a_shallow_clone_says_so_and_shows_what_it_has(shop, run, tmp_path):
    run(
        "clone",
        "--quiet",
        "--depth=1",
        f"file://{tmp_path / 'shop.git'}",
        str(tmp_path / "clone"),
        cwd=tmp_path,
    )

    repository = opened(tmp_path / "clone")

    assert repository.is_shallow()
    assert not opened(shop).is_shallow()
    assert [c.subject for c in repository.log([MODEL], limit=5)] == ["Join b"]


def test_a_name_from_outside_never_becomes_an_option(shop):
    repository = opened(shop)

    assert repository.resolve("--all") is None
    with pytest.raises(ConnectorError, match=r"no revision '--output=x'"):
        repository.file_at("--output=x", MODEL)
    assert repository.log(["--all"], limit=5) == ()
    assert not (shop / "x").exists()


def test_a_missing_git_program_is_named(shop, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ConfigError, match="no git program"):
        GitRepository.discover(shop)
    assert GitRepository.discover(tmp_path) is None


def test_a_vanished_repository_is_an_error(shop):
    repository = opened(shop)
    (shop / ".git").rename(shop / "gone")

    with pytest.raises(ConnectorError, match="git"):
        repository.dirty()


def test_the_environment_of_a_hook_does_not_lead_elsewhere(shop, monkeypatch, tmp_path, run):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "shop.git"))

    assert opened(shop).root == shop.resolve()


def test_default_branch_is_the_remotes_own(shop, run, tmp_path):
    repository = opened(shop)
    assert repository.default_branch() == "main"
    assert repository.remote_url() == str(tmp_path / "shop.git")

    run("branch", "release")
    run("push", "--quiet", "origin", "release")
    run("symbolic-ref", "HEAD", "refs/heads/release", cwd=tmp_path / "shop.git")
    assert repository.default_branch() == "release"
    assert repository.default_branch("elsewhere") is None
