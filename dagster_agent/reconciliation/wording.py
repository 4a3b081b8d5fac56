"""Numbers in sentences."""

from __future__ import annotations

from collections.abc import Sequence
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
