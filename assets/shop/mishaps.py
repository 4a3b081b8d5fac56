"""What goes wrong outside of the dbt project, so that a demonstration can let it happen.

A mishap changes what the nightly loads bring from the day on which it strikes; it is kept in the
shop's home, so every later load brings the same.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

FILE = "mishaps.json"


class Mishap(StrEnum):
    """What can happen."""

    RENAMED_COLUMN = "renamed-column"
    """The shop's developers rename `orders.placed_at` to `ordered_at`."""
    WEBHOOK_REPLAY = "webhook-replay"
    """The processor sends the payments of the last days again, and they are appended."""
    NEW_CURRENCY = "new-currency"
    """Gift cards are sold in Sweden, in kronor."""


_STAGES = {
    Mishap.RENAMED_COLUMN: {
        "orders": "select * exclude (placed_at, synced_at), placed_at as ordered_at, synced_at "
        "from ({query})"
    },
    Mishap.WEBHOOK_REPLAY: {
        "payments": "with arrived as ({query}) select * from arrived union all "
        "select * replace ((synced_at + interval 40 minute)::timestamp_s as synced_at) "
        "from arrived where captured_at >= (select max(captured_at) - interval 2 day from arrived)"
    },
    Mishap.NEW_CURRENCY: {
        "gift_cards": "with arrived as ({query}), marked as (select *, gift_card_id % 3 = 0 and "
        "sold_at >= (select max(sold_at) - interval 1 day from arrived) as swedish from arrived) "
        "select gift_card_id, case when swedish then amount * 11 else amount end"
        "::decimal(18, 2) as amount, case when swedish then 'SEK' else currency end as currency, "
        "sold_at, synced_at from marked"
    },
}


def strike(home: Path, mishap: Mishap) -> None:
    """Let it happen: the next loads bring what it makes of the data."""
    struck = sorted({*struck_so_far(home), mishap})
    (home / FILE).write_text(json.dumps(struck), encoding="utf-8")


def struck_so_far(home: Path) -> list[Mishap]:
    """What has happened to this shop."""
    file = home / FILE
    if not file.is_file():
        return []
    return [Mishap(name) for name in json.loads(file.read_text(encoding="utf-8"))]


def as_loaded(home: Path, table: str, query: str) -> str:
    """The query that a load runs for a table, with what has happened to it.

    Args:
        home: The shop's home.
        table: Name of the raw table.
        query: What the load would run if nothing had happened.
    """
    for mishap in struck_so_far(home):
        stage = _STAGES[mishap].get(table)
        if stage is not None:
            query = stage.format(query=query)
    return query
