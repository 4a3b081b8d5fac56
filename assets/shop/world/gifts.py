"""Gift cards: a small side business that sells in euros."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.shop.world.seasons import DAYS, SECONDS_A_DAY, Season, timestamps

FIRST_ID = 40_001
A_DAY = 9
AMOUNTS = np.array([2_500, 5_000, 10_000])
SHARES = np.array([0.5, 0.35, 0.15])


def gift_cards_of(season: Season) -> pd.DataFrame:
    """Cards sold in this season, by moment. Amounts are in hundredths of a euro."""
    random = season.random("gift cards")
    count = A_DAY * DAYS
    sold = np.sort(season.start + random.integers(0, DAYS * SECONDS_A_DAY, size=count))
    return pd.DataFrame(
        {
            "gift_card_id": FIRST_ID + season.number * count + np.arange(count),
            "amount_cents": AMOUNTS[random.choice(AMOUNTS.size, size=count, p=SHARES)],
            "currency": "EUR",
            "sold_at": timestamps(sold),
        }
    )
