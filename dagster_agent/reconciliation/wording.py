"""Numbers in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal


def share(part: float, whole: float) -> str:
    """`15.6 %`; small shares keep two digits, `0.00031 %`."""
    if not whole:
        return "0 %" if not part else "100 %"
    percent = 100 * part / whole
    if abs(percent) >= 0.1 or not percent:
        return f"{percent:.1f} %"
    return f"{Decimal(f'{percent:.2g}'):f} %"


def rows(count: int) -> str:
    """`1 row`, `52,606 rows`."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def moment(at: datetime) -> str:
    """`2026-11-21 05:58 UTC`; seconds only where there are some."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at.second else f"{at:%Y-%m-%d %H:%M} UTC"


def money(amount: Decimal, unit: str) -> str:
    """`EUR 48,210`; cents only of amounts below a hundred."""
    size = abs(amount)
    number = f"{size:,.2f}" if size < 100 and size != size.to_integral_value() else f"{size:,.0f}"
    return f"{unit} {number}".strip()


def things(keys: Sequence[str], count: int = 2) -> str:
    """What is counted, from the name of its key: `order_id` are `orders`; else `keys`."""
    stem = keys[0].rsplit("_", 1)[0].casefold() if len(keys) == 1 and "_" in keys[0] else ""
    noun = stem.rsplit("_", 1)[-1]
    if len(noun) < _SHORTEST_NOUN or not noun.isalpha():
        noun = "key"
    if count == 1:
        return noun
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


_SHORTEST_NOUN = 3
