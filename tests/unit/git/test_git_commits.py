"""Commits beside the checkout, and pushes that never touch the default branch."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.git.repository import GitRepository
from dagster_agent.model import FileEdit

MODEL = "dbt/models/orders.sql"
BEFORE = "select 1 as id\nfrom a left join b\n"
AFTER = "select 1 as id\nfrom a inner join b\n"
AT = datetime(2026, 11, 5, 12, tzinfo=UTC)
AGENT = "dagster-agent <agent@example.com>"


def repository(path: Path) -> GitRepository:
    found = GitRepository.discover(path)
    assert found is not None
    return found


def commit(shop: Path, *, branch: str = "agent/fix", base: str = "main", **changes: object) -> str:
    edit = FileEdit(path="models/orders.sql", before=BEFORE, after=AFTER)
    arguments: dict[str, object] = {
        "edits": [edit],
        "prefix": "dbt",
        "message": "Restore the join\n\nBecause.",
        "author": AGENT,
        "at": AT,
        **changes,
    }
    return repository(shop).commit_edits(branch=branch, base=base, **arguments)  # type: ignore[arg-type]


def test_the_commit_holds_the_edit_the_author_and_the_trailers(shop, run):
    sha = commit(shop, trailers={"Dagster-Agent-Incident": "I-3abd25\nEvil: x"})

    assert run("rev-parse", "agent/fix") == sha
    assert run("rev-parse", "agent/fix^") == run("rev-parse", "main")
    assert run("show", f"{sha}:{MODEL}") == AFTER.strip()
    assert run("diff", "--name-only", "main", sha) == MODEL
    assert (
        run("show", "--no-patch", "--format=%an <%ae>|%cn|%cI", sha)
        == f"{AGENT}|dagster-agent|2026-11-05T12:00:00+00:00"
    )
    assert (
        run("show", "--no-patch", "--format=%(trailers)", sha)
        == "Dagster-Agent-Incident: I-3abd25 Evil: x"
    )


def test_a_dirty_checkout_stays_as_it_is(shop, run):
    (shop / MODEL).write_text("half done")
    (shop / "README").write_text("staged")
    run("add", "README")
    (shop / "new.txt").write_text("untracked")
    before = (
        run("status", "--porcelain"),
        run("rev-parse", "HEAD"),
        (shop / ".git" / "index").read_bytes(),
    )

    commit(shop)

    assert (
        run("status", "--porcelain"),
        run("rev-parse", "HEAD"),
        (shop / ".git" / "index").read_bytes(),
    ) == before
    assert (shop / MODEL).read_text() == "half done"
    assert run("worktree", "list").count("\n") == 0


def test_hooks_and_signing_of_the_customer_do_not_get_in_the_way(shop, run):
    for name in ("pre-commit", "commit-msg", "pre-push", "reference-transaction"):
        hook = shop / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
        hook.chmod(0o755)
    run("config", "commit.gpgSign", "true")
    run("config", "gpg.program", "false")

    commit(shop)
    repository(shop).push("agent/fix")

    assert run("ls-remote", "origin", "agent/fix")


def test_twice_is_one_commit(shop, run):
    assert commit(shop) == commit(shop)
    assert commit(shop, at=datetime(2026, 11, 6, tzinfo=UTC)) == run("rev-parse", "agent/fix")


def test_a_branch_of_ours_moves_with_its_base(shop, run):
    first = commit(shop)
    repository(shop).push("agent/fix")
    (shop / "README").write_text("more\n")
    run("commit", "--quiet", "--all", "--message", "More", day=6)

    second = commit(shop)
    repository(shop).push("agent/fix")

    assert second != first
    assert run("ls-remote", "origin", "agent/fix").split()[0] == second
    assert run("rev-parse", "agent/fix^") == run("rev-parse", "main")


def test_somebody_elses_commits_on_the_branch_are_never_moved_away(shop, run):
    commit(shop)
    run("checkout", "--quiet", "agent/fix")
    (shop / "README").write_text("by hand\n")
    run("commit", "--quiet", "--all", "--message", "By hand", day=6)
    run("push", "--quiet", "origin", "agent/fix")

    with pytest.raises(ConnectorError, match="checked out"):
        commit(shop)
    run("checkout", "--quiet", "main")
    with pytest.raises(ConnectorError, match="commits of other people"):
        commit(shop)
    run("branch", "--quiet", "--delete", "--force", "agent/fix")
    commit(shop)
    with pytest.raises(ConnectorError, match="commits of other people"):
        repository(shop).push("agent/fix")


def test_a_file_that_changed_meanwhile_is_refused(shop, run):
    other = FileEdit(path="models/orders.sql", before="select 2\n", after="x")
    with pytest.raises(ConnectorError, match=r"dbt/models/orders\.sql changed meanwhile") as caught:
        commit(shop, edits=[other])
    assert caught.value.hint == "investigate again"

    for edit in (
        FileEdit(path="models/gone.sql", before="x", after="y"),
        FileEdit(path="models/orders.sql", before=None, after="y"),
    ):
        with pytest.raises(ConnectorError, match="changed meanwhile"):
            commit(shop, edits=[edit])
    assert run("branch", "--list", "agent/*") == ""


def test_edits_that_change_nothing_are_refused(shop):
    with pytest.raises(ConnectorError, match="change nothing"):
        commit(shop, edits=[FileEdit(path="models/orders.sql", before=BEFORE, after=BEFORE)])


def test_a_new_file_with_an_odd_name_at_the_root_of_the_project(shop, run):
    edit = FileEdit(path='models/tests/größe "1".sql', before=None, after="select 1\n")
    sha = commit(shop, edits=[edit], prefix="")

    assert run("show", f'{sha}:models/tests/größe "1".sql') == "select 1"


def test_line_ends_stay_as_the_repository_has_them(shop, run):
    edit = FileEdit(
        path="models/orders.sql",
        before=BEFORE.replace("\n", "\r\n"),
        after=AFTER.replace("\n", "\r\n"),
    )
    sha = commit(shop, edits=[edit])

    assert repository(shop).file_at(sha, MODEL) == AFTER


@pytest.mark.parametrize("path", ["../README", "/etc/x", "models/../../README", ".git/config", ""])
def test_a_path_that_leaves_the_project_is_refused(shop, path):
    with pytest.raises(ConfigError, match="leaves the dbt project"):
        commit(shop, edits=[FileEdit(path=path, before=None, after="x")])


@pytest.mark.parametrize("branch", ["-x", "a b", "a..b", "", "x.lock", "--force"])
def test_a_bad_branch_name_is_refused(shop, branch):
    with pytest.raises(ConfigError, match="no valid branch name"):
        commit(shop, branch=branch)


def test_the_checked_out_branch_is_never_committed_to(shop, run):
    with pytest.raises(ConnectorError, match="checked out"):
        commit(shop, branch="main")


def test_an_unknown_base_or_author_is_named(shop):
    with pytest.raises(ConnectorError, match="no revision 'nope'"):
        commit(shop, base="nope")
    with pytest.raises(ConfigError, match="no author"):
        commit(shop, author="nobody")


def test_the_default_branch_is_never_pushed_or_deleted(shop, run, tmp_path):
    with pytest.raises(ConfigError, match="default branch"):
        repository(shop).push("main")
    with pytest.raises(ConfigError, match="default branch"):
        repository(shop).delete_remote_branch("main")

    # a remote that does not say: an empty bare repository
    run("init", "--quiet", "--bare", str(tmp_path / "empty.git"), cwd=tmp_path)
    run("remote", "add", "empty", str(tmp_path / "empty.git"))
    with pytest.raises(ConfigError, match="default branch"):
        repository(shop).push("main", "empty")


def test_push_and_delete_a_branch(shop, run):
    sha = commit(shop)
    repository(shop).push("agent/fix")
    repository(shop).push("agent/fix")
    assert run("ls-remote", "origin", "refs/heads/agent/fix").split()[0] == sha

    repository(shop).delete_remote_branch("agent/fix")
    repository(shop).delete_remote_branch("agent/fix")
    assert run("ls-remote", "origin", "refs/heads/agent/fix") == ""


def test_unknown_and_unreachable_remotes_are_errors(shop, run, tmp_path):
    commit(shop)
    with pytest.raises(ConfigError, match="no remote 'upstream'") as caught:
        repository(shop).push("agent/fix", "upstream")
    assert caught.value.hint == "known remotes: origin"

    run("remote", "add", "gone", f"file://secret:word@localhost{tmp_path}/gone.git")
    with pytest.raises(ConnectorError) as failed:
        repository(shop).push("agent/fix", "gone")
    assert "word" not in str(failed.value)


def test_a_vanished_branch_cannot_be_pushed(shop):
    with pytest.raises(ConnectorError, match="git rev-parse failed"):
        repository(shop).push("agent/none")
