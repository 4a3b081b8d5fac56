"""A paginated HTTP API as a source of truth."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin, urlsplit

from dagster_agent.connectors.record_sources.page_walk import PageWalk
from dagster_agent.errors import ConfigError, ConnectorError

if TYPE_CHECKING:
    import requests

_RETRIED = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpApi:
    """Reads every page, and refuses what is not whole.

    Args and fields are the configuration's, see `docs/reconciliation.md`.
    """

    url: str
    """First page, with the query parameters that never change."""
    records: str = "@"
    """JMESPath of the list of records in a page."""
    total: str = ""
    """JMESPath of the number of all records; empty where the API does not say it."""
    pagination: PageWalk = field(default_factory=PageWalk)
    """How one gets to the next page."""
    headers: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    """Header to environment variable that holds its value; no secret stands in a yml."""
    rate_limit_per_minute: float | None = None
    """Most requests a minute."""
    timeout_seconds: float = 30.0
    """For each answer."""
    max_retries: int = 4
    """Of one page, with doubling pauses; a Retry-After header wins."""
    backoff_seconds: float = 1.0
    """The first pause."""
    max_pages: int = 10_000
    """More is taken for an API that never ends."""

    @property
    def name(self) -> str:
        """The address without its query, which may hold a key."""
        return _bare(self.url)

    def read(self, sleep: Callable[[float], None] = time.sleep) -> Iterator[Mapping[str, Any]]:
        """All records, in the API's order.

        Raises:
            ConfigError: An environment variable is not set, a path is no JMESPath, or the address
                is refused.
            ConnectorError: A page does not come, is no JSON, holds no list of records, repeats
                another, or the number of records is not what the API says.
        """
        seen: dict[str, int] = {}
        count, told = 0, None
        with self._session() as session:
            for number, body in enumerate(self._pages(session, sleep), start=1):
                page = self._records(body, number)
                self._refuse_repeated(page, number, seen)
                told = self._total(body, number) if told is None else told
                count += len(page)
                yield from page
        if told is not None and told != count:
            raise ConnectorError(
                f"{self.name} says that it has {told:,} records and gave {count:,}",
                hint="a page was skipped or repeated, or records came and went meanwhile: "
                "order the API's pages by something that does not change",
                retryable=True,
            )

    def _session(self) -> requests.Session:
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry

        retry = Retry(
            total=self.max_retries,
            backoff_factor=self.backoff_seconds,
            status_forcelist=_RETRIED,
            respect_retry_after_header=True,
            raise_on_status=False,
        )
        session = requests.Session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        session.headers.update({name: _secret(name, key) for name, key in self.headers.items()})
        return session

    def _pages(self, session: requests.Session, sleep: Callable[[float], None]) -> Iterator[Any]:
        way = self.pagination
        url = self.url
        state: Any = way.start if way.kind == "page" else 0 if way.kind == "offset" else None
        for number in range(1, self.max_pages + 1):
            if number > 1 and self.rate_limit_per_minute:
                sleep(60 / self.rate_limit_per_minute)
            answer = self._get(session, url, state, number)
            body = self._json(answer, number)
            yield body
            page = self._records(body, number)
            if way.kind == "none" or (way.counted and not page):
                return
            following, after = self._next(answer, body, url, state, len(page))
            if way.counted and way.size and len(page) < way.size:
                if number == 1 and not self.total:
                    self._refuse_capped(session, after, page)
                return
            if following is None or (not page and (following, after) == (url, state)):
                return
            url, state = following, after
        raise ConnectorError(
            f"{self.name} has more than {self.max_pages:,} pages",
            hint="raise `max_pages` if that is right, else check `pagination`",
        )

    def _refuse_capped(
        self, session: requests.Session, state: Any, first: list[Mapping[str, Any]]
    ) -> None:
        """A first page shorter than asked for is the only one, unless the API never gives more."""
        answer = self._fetch(session, self.url, state, 2)
        if not answer.ok and answer.status_code not in _RETRIED:
            return  # there is no second page
        page = self._records(self._json(self._good(answer, 2), 2), 2)
        if page and page != first:
            raise ConnectorError(
                f"page 1 of {self.name} has {len(first)} records although {self.pagination.size}"
                " were asked for, and it is not the last",
                hint=f"set `size` of `pagination` to {len(first)}: the API gives no more at once",
            )

    def _get(
        self, session: requests.Session, url: str, state: Any, number: int
    ) -> requests.Response:
        return self._good(self._fetch(session, url, state, number), number)

    def _fetch(
        self, session: requests.Session, url: str, state: Any, number: int
    ) -> requests.Response:
        import requests

        way = self.pagination
        parameters: dict[str, Any] = {way.size_parameter: way.size} if way.size else {}
        if state is not None:
            parameters[way.parameter or way.kind] = state
        if way.kind == "link" and number > 1:
            parameters = {}  # the address of the next page has them all
        try:
            timeout = self.timeout_seconds
            # a redirect would carry the headers' keys along
            return session.get(url, params=parameters, timeout=timeout, allow_redirects=False)
        except requests.exceptions.InvalidURL as error:
            raise ConfigError(f"{self.name} is no address", hint="write https://...") from error
        except requests.RequestException as error:
            raise ConnectorError(
                f"page {number} of {self.name} did not come: {type(error).__name__}",
                hint="nothing was compared; it is tried again at the next check",
                retryable=True,
            ) from error

    def _good(self, answer: requests.Response, number: int) -> requests.Response:
        if answer.is_redirect:
            raise ConnectorError(
                f"page {number} of {self.name}: the API sends its reader on to "
                f"{_bare(urljoin(answer.url, answer.headers['Location']))}",
                hint="keys are not sent on; name that address if it is right",
            )
        if not answer.ok:
            raise ConnectorError(
                f"page {number} of {self.name}: the API answered {answer.status_code}",
                hint="check its key in `headers`" if answer.status_code in (401, 403) else "",
                retryable=answer.status_code in _RETRIED,
            )
        return answer

    def _json(self, answer: requests.Response, number: int) -> Any:
        try:
            return json.loads(answer.content)
        except ValueError as error:
            raise ConnectorError(
                f"page {number} of {self.name} is no JSON: {error}",
                hint="it may have been cut off, or be a page for people",
                retryable=True,
            ) from error

    def _next(
        self, answer: requests.Response, body: Any, url: str, state: Any, size: int
    ) -> tuple[str | None, Any]:
        """Address and parameter of the next page; None for the address after the last."""
        way = self.pagination
        if way.kind == "page":
            return url, state + 1
        if way.kind == "offset":
            return url, state + size
        if way.kind == "cursor":
            state = _find(way.next or "next", body)
            return (url if state else None), state
        following = _find(way.next, body) if way.next else answer.links.get("next", {}).get("url")
        return (self._same_host(urljoin(answer.url, following)) if following else None), None

    def _same_host(self, url: str) -> str:
        """The address, unless it would carry the headers' keys to somebody else."""
        ours, theirs = urlsplit(self.url), urlsplit(url)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            raise ConnectorError(
                f"{self.name} sends its reader on to {theirs.netloc}",
                hint="keys are not sent to another host; name that address if it is right",
            )
        return url

    def _records(self, body: Any, number: int) -> list[Mapping[str, Any]]:
        found = _find(self.records, body)
        items = cast("list[object]", found) if isinstance(found, list) else None
        if items is None or not all(isinstance(item, dict) for item in items):
            raise ConnectorError(
                f"page {number} of {self.name} has no list of records at {self.records!r}",
                hint="set `records` to the JMESPath of the list, such as `data.items`",
            )
        return cast("list[Mapping[str, Any]]", items)

    def _total(self, body: Any, number: int) -> int | None:
        if not self.total:
            return None
        found = _find(self.total, body)
        if isinstance(found, bool) or not isinstance(found, int):
            raise ConnectorError(
                f"page {number} of {self.name} has no number at {self.total!r}",
                hint="set `total` to the JMESPath of the number of all records",
            )
        return found

    def _refuse_repeated(
        self, page: list[Mapping[str, Any]], number: int, seen: dict[str, int]
    ) -> None:
        if not page:
            return
        text = json.dumps(page, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        if digest in seen:
            raise ConnectorError(
                f"page {number} of {self.name} repeats page {seen[digest]}",
                hint="the API ignores `pagination`: check its kind and parameter",
            )
        seen[digest] = number


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def _find(path: str, body: Any) -> Any:
    import jmespath  # pyright: ignore[reportMissingTypeStubs] # it ships none
    from jmespath.exceptions import JMESPathError

    search: Any = jmespath.search  # pyright: ignore[reportUnknownMemberType] # see above
    try:
        return search(path, body)
    except JMESPathError as error:
        raise ConfigError(
            f"{path!r} is no JMESPath: {error}", hint="write a path such as `data.items`"
        ) from error


def _secret(header: str, variable: str) -> str:
    value = os.environ.get(variable)
    if value is None:
        raise ConfigError(
            f"the environment has no {variable}, which the header {header} is read from",
            hint=f"set {variable} where Dagster runs",
        )
    return value
