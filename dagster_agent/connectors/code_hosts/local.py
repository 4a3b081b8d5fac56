"""`LocalCodeHost`: pull requests as documents beside a bare repository."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from dagster_agent.errors import ConnectorError
from dagster_agent.model import PullRequest, PullRequestDraft, PullRequestState

_OPEN = {PullRequestState.DRAFT, PullRequestState.OPEN}
_LOCK_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """What the JSON file holds; the Markdown file is rendered from it."""

    pull_request: PullRequest
    body: str
    labels: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()


class LocalCodeHost:
    """Implements `ports.CodeHost` in a folder; safe for many processes at once.

    Each pull request is `pull-requests/0001-<slug>.md`, what a code host would show, and the same
    as `.json`. Nothing is ever merged here: that is done with git, by a person.

    Args:
        directory: Created when it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = directory.absolute() / "pull-requests"

    @property
    def name(self) -> str:
        """See `CodeHost`."""
        return "local"

    def open_pull_request(self, draft: PullRequestDraft) -> PullRequest:
        """See `CodeHost`."""
        with self._locked():
            existing = self._newest(draft.branch)
            if existing and existing.pull_request.state in _OPEN:
                return existing.pull_request
            number = max((_number(path) for path in self._files()), default=0) + 1
            title = " ".join(draft.title.split())
            page = self._folder / f"{number:04d}-{_slug(title)}.md"
            pull_request = PullRequest(
                number=number,
                url=page.as_uri(),
                branch=draft.branch,
                base=draft.base,
                title=title,
                head_sha=draft.head_sha,
                state=PullRequestState.DRAFT,
            )
            self._save(
                page,
                _Document(pull_request=pull_request, body=draft.body, labels=draft.labels),
            )
            return pull_request

    def find_pull_request(self, branch: str) -> PullRequest | None:
        """See `CodeHost`."""
        document = self._newest(branch)
        return document and document.pull_request

    def mark_ready(self, pull_request: PullRequest, *, comment: str) -> PullRequest:
        """See `CodeHost`."""
        return self._change(pull_request, PullRequestState.OPEN, comment)

    def close(self, pull_request: PullRequest, *, comment: str) -> PullRequest:
        """See `CodeHost`."""
        return self._change(pull_request, PullRequestState.CLOSED, comment)

    def _change(self, asked: PullRequest, state: PullRequestState, comment: str) -> PullRequest:
        with self._locked():
            path = next((p for p in self._files() if _number(p) == asked.number), None)
            if path is None:
                raise ConnectorError(
                    f"local: there is no pull request {asked.number} in {self._folder}"
                )
            document = _read(path)
            now = document.pull_request
            if now.state is state:
                return now
            if now.state not in _OPEN:
                raise ConnectorError(
                    f"local: pull request {now.number} is {now.state} and cannot become {state}",
                    hint="open another one",
                )
            changed = dataclasses.replace(now, state=state)
            comments = (*document.comments, comment)
            self._save(
                path.with_suffix(".md"),
                dataclasses.replace(document, pull_request=changed, comments=comments),
            )
            return changed

    def _newest(self, branch: str) -> _Document | None:
        documents = (_read(path) for path in sorted(self._files(), key=_number, reverse=True))
        return next((d for d in documents if d.pull_request.branch == branch), None)

    def _files(self) -> Iterator[Path]:
        return (p for p in self._folder.glob("*.json") if p.name[:4].isdigit())

    def _save(self, page: Path, document: _Document) -> None:
        """The page first: a pull request exists once its JSON does, and then it can be read."""
        _write(page, _render(document))
        json = msgspec.json.format(msgspec.json.encode(document), indent=2)
        _write(page.with_suffix(".json"), json.decode())

    @contextmanager
    def _locked(self) -> Generator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / ".lock", timeout=_LOCK_SECONDS):
                yield
        except Timeout:
            raise ConnectorError(
                f"local: another process holds {self._folder / '.lock'}",
                hint="end that process",
                retryable=True,
            ) from None
        except OSError as error:
            raise ConnectorError(
                f"local: {self._folder} cannot be written: {error.strerror}",
                hint="set code_host.directory to a folder that this user may write",
            ) from error


def _render(document: _Document) -> str:
    pull_request = document.pull_request
    facts = [
        f"**{pull_request.state.capitalize()}**",
        f"`{pull_request.branch}` → `{pull_request.base}`",
        f"head `{pull_request.head_sha}`",
        *(f"label `{label}`" for label in document.labels),
    ]
    parts = [
        f"# {pull_request.title} (#{pull_request.number})",
        " · ".join(facts),
        "---",
        document.body.strip(),
    ]
    for comment in document.comments:
        parts += ["---", f"**Comment**\n\n{comment.strip()}"]
    return "\n\n".join(parts) + "\n"


def _read(path: Path) -> _Document:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Document)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConnectorError(
            f"local: {path} is no pull request: {error}", hint="restore or remove that file"
        ) from error


def _write(path: Path, text: str) -> None:
    """Replace the file in one step: a reader sees the old text or the new one."""
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _number(path: Path) -> int:
    return int(path.name.split("-", 1)[0])


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:50].rstrip("-") or "change"
