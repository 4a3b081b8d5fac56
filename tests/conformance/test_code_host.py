"""What every `CodeHost` must do; run on the local one and on the fake."""

from __future__ import annotations

import dataclasses
import multiprocessing
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from dagster_agent.connectors.code_hosts import open_code_host
from dagster_agent.connectors.code_hosts.local import LocalCodeHost
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import PullRequest, PullRequestDraft, PullRequestState
from dagster_agent.ports import CodeHost
from dagster_agent.testing import FakeCodeHost

DRAFT = PullRequestDraft(
    branch="agent/i-3f2a1c-keep-flights",
    base="main",
    title="Keep flights whose plane is unknown",
    body="**stg_flüge lost 15.6 % of its rows**\n\n```diff\n-join\n+left join\n```\n",
    head_sha="3f2a1c9e",
    labels=("dagster-agent",),
)


@pytest.fixture(params=["local", "fake"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> CodeHost:
    return FakeCodeHost() if request.param == "fake" else LocalCodeHost(tmp_path / "Häuser")


def test_it_has_a_name(host: CodeHost) -> None:
    assert host.name in {"local", "fake"}


def test_a_pull_request_is_opened_as_a_draft(host: CodeHost) -> None:
    opened = host.open_pull_request(DRAFT)
    assert opened.url
    assert opened == PullRequest(
        number=1,
        url=opened.url,
        branch=DRAFT.branch,
        base="main",
        title=DRAFT.title,
        head_sha="3f2a1c9e",
        state=PullRequestState.DRAFT,
    )
    assert host.find_pull_request(DRAFT.branch) == opened
    assert host.find_pull_request("agent/other") is None


def test_asking_twice_for_a_branch_gives_the_same_one(host: CodeHost) -> None:
    opened = host.open_pull_request(DRAFT)
    assert host.open_pull_request(dataclasses.replace(DRAFT, title="Another title")) == opened
    ready = host.mark_ready(opened, comment="Approved by ana.")
    assert host.open_pull_request(DRAFT) == ready


def test_numbers_grow_by_branch(host: CodeHost) -> None:
    host.open_pull_request(DRAFT)
    second = host.open_pull_request(dataclasses.replace(DRAFT, branch="agent/i-2"))
    assert second.number == 2


def test_a_draft_becomes_ready_once(host: CodeHost) -> None:
    opened = host.open_pull_request(DRAFT)
    ready = host.mark_ready(opened, comment="Approved by ana.")
    assert ready == dataclasses.replace(opened, state=PullRequestState.OPEN)
    assert host.mark_ready(opened, comment="again") == ready
    assert host.find_pull_request(DRAFT.branch) == ready


def test_closed_is_the_end_and_the_branch_is_free_for_another(host: CodeHost) -> None:
    opened = host.open_pull_request(DRAFT)
    closed = host.close(opened, comment="Rejected by ana.")
    assert closed.state is PullRequestState.CLOSED
    assert host.close(opened, comment="again") == closed
    with pytest.raises(ConnectorError, match="closed"):
        host.mark_ready(opened, comment="too late")
    second = host.open_pull_request(DRAFT)
    assert (second.number, second.state) == (2, PullRequestState.DRAFT)
    assert host.find_pull_request(DRAFT.branch) == second


def test_an_unknown_pull_request_is_an_error(host: CodeHost) -> None:
    opened = host.open_pull_request(DRAFT)
    unknown = dataclasses.replace(opened, number=99)
    with pytest.raises(ConnectorError, match="no pull request 99"):
        host.mark_ready(unknown, comment="")


# the local host's documents ------------------------------------------------------------------


def page_of(pull_request: PullRequest) -> Path:
    return Path(unquote(urlparse(pull_request.url).path))


def test_the_document_is_what_a_code_host_would_show(tmp_path: Path) -> None:
    host = LocalCodeHost(tmp_path / "Häuser")
    opened = host.open_pull_request(DRAFT)
    assert opened.url.startswith("file:///")
    page = page_of(opened)
    assert page == tmp_path / "Häuser/pull-requests/0001-keep-flights-whose-plane-is-unknown.md"
    assert page.read_text(encoding="utf-8") == (
        "# Keep flights whose plane is unknown (#1)\n\n"
        "**Draft** · `agent/i-3f2a1c-keep-flights` → `main` · head `3f2a1c9e`"
        " · label `dagster-agent`\n\n---\n\n"
        "**stg_flüge lost 15.6 % of its rows**\n\n```diff\n-join\n+left join\n```\n"
    )
    host.mark_ready(opened, comment="Approved by ana.")
    text = page.read_text(encoding="utf-8")
    assert "**Open** · " in text
    assert text.endswith("---\n\n**Comment**\n\nApproved by ana.\n")
    assert sorted(p.name for p in page.parent.iterdir() if not p.name.startswith(".")) == [
        "0001-keep-flights-whose-plane-is-unknown.json",
        "0001-keep-flights-whose-plane-is-unknown.md",
    ]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "0001-etc-passwd.md"),
        ("日本", "0001-change.md"),
        ("a\nb", "0001-a-b.md"),
        ("x" * 300, f"0001-{'x' * 50}.md"),
    ],
)
def test_titles_become_harmless_file_names(tmp_path: Path, title: str, name: str) -> None:
    opened = LocalCodeHost(tmp_path).open_pull_request(dataclasses.replace(DRAFT, title=title))
    assert page_of(opened) == tmp_path / "pull-requests" / name
    assert "\n" not in opened.title


def test_an_unreadable_document_is_named(tmp_path: Path) -> None:
    host = LocalCodeHost(tmp_path)
    page_of(host.open_pull_request(DRAFT)).with_suffix(".json").write_text("{")
    with pytest.raises(ConnectorError, match=r"0001-.*\.json is no pull request"):
        host.find_pull_request(DRAFT.branch)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConnectorError, match=r"file/pull-requests cannot be written") as caught:
        LocalCodeHost(tmp_path / "file").open_pull_request(DRAFT)
    assert caught.value.hint


def _open_some(directory: Path, worker: int) -> list[int]:
    host = LocalCodeHost(directory)
    drafts = [dataclasses.replace(DRAFT, branch=f"agent/{worker}-{n}") for n in range(5)]
    own = [host.open_pull_request(draft).number for draft in drafts]
    return [*own, host.open_pull_request(DRAFT).number]


def test_four_processes_number_without_gaps_and_share_a_branch(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        found = pool.starmap(_open_some, [(tmp_path, worker) for worker in range(4)], chunksize=1)
    own = [number for numbers in found for number in numbers[:-1]]
    shared = {numbers[-1] for numbers in found}
    assert len(shared) == 1
    assert sorted([*own, *shared]) == list(range(1, 22))


def test_kinds_of_code_hosts(tmp_path: Path) -> None:
    host = open_code_host("local", remote_url=None, directory=tmp_path)
    assert host.name == "local"
    with pytest.raises(ConfigError, match=r"unknown code host 'gitbub'.*known: local"):
        open_code_host("gitbub", remote_url=None, directory=tmp_path)
