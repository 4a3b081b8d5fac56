"""An HTTP API as a source of truth: what is asked of it, and how one gets all pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Pagination(BaseModel):
    """How one gets from a page of an HTTP API to the next."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["none", "page", "offset", "cursor", "link"] = "none"
    """`page` counts pages, `offset` counts records, `cursor` hands over what the last page said,
    `link` follows the Link header or an address in the answer."""
    parameter: str = ""
    """Query parameter that is set; by default `page`, `offset` or `cursor`."""
    start: int = Field(default=1, ge=0)
    """First page's number; offsets start at 0."""
    size: int | None = Field(default=None, ge=1)
    """Records per page, where it is asked for."""
    size_parameter: str = "limit"
    """Query parameter that asks for it."""
    next: str = ""
    """JMESPath of the next cursor or address in an answer; empty: the Link header."""


class ApiRequest(BaseModel):
    """An HTTP API that yields records as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://")
    """First page, with the query parameters that never change."""
    records: str = "@"
    """JMESPath of the list of records in an answer; by default the answer is the list."""
    total: str = ""
    """JMESPath of the number of all records, where answers tell it: that a page was skipped or
    repeated is an error then."""
    headers: Mapping[str, Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]] = Field(
        default_factory=lambda: dict[str, str]()
    )
    """Header to the environment variable that holds its value, `{Authorization: LEDGER_TOKEN}`: no
    secret stands in a yml."""
    pagination: Pagination = Pagination()
    """How one gets to the next page; by default one answer holds all."""
    rate_limit_per_minute: float | None = Field(default=None, gt=0)
    """Most requests a minute."""
    timeout_seconds: float = Field(default=30, gt=0)
    """For each answer."""
    max_retries: int = Field(default=4, ge=0, le=10)
    """Of one page, with doubling pauses; a Retry-After header wins."""
    max_pages: int = Field(default=10_000, ge=1)
    """More is taken for an API that never ends."""
