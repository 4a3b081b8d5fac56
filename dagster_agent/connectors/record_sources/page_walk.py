"""How one gets through the pages of an HTTP API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWalk:
    """How one gets from a page to the next."""

    kind: Literal["none", "page", "offset", "cursor", "link"] = "none"
    """`page` counts pages, `offset` counts records, `cursor` hands over what the last page said,
    `link` follows the Link header or an address in the body."""
    parameter: str = ""
    """Query parameter that is set; by default `page`, `offset` or `cursor`."""
    start: int = 1
    """First page's number; offsets start at 0."""
    size: int | None = None
    """Records per page, where it is asked for; of counted pages a shorter one is then the last."""
    size_parameter: str = "limit"
    """Query parameter that asks for it."""
    next: str = ""
    """JMESPath of the next cursor or address in the body; empty: the Link header."""

    @property
    def counted(self) -> bool:
        """Nothing but the records themselves tells that a page is the last."""
        return self.kind in ("page", "offset")
