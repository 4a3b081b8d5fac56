"""What is sold: the product catalogue, and the currencies and promotion codes of the till."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.shop.world.seasons import DAYS, SECONDS_A_DAY, Season, timestamps, words

ASSORTMENT = 320
LAUNCHES_A_SEASON = 40
FIRST_ID = 2_001
# Sold on the marketplace under old offers; deleted from the catalogue before it had a history.
RETIRED_IDS = np.arange(1_101, 1_113)
RETIRED_SHARE = 0.015

CURRENCIES = np.array(["EUR", "GBP", "USD", "JPY", "CHF"])
UNITS_PER_EUR = np.array([1.0, 0.86, 1.09, 163.0, 0.95])

# The first ten are in the seed `promotions`; the others were made in an influencer tool.
PROMO_CODES = words("""
    WELCOME10 SPRING15 SUMMER20 AUTUMN10 BLACK25 XMAS15 NEWS5 APP10 FREESHIP STAFF30
    MIA-LOVES-IT HUGO-UNBOXED
""")
PROMO_SHARES = np.array([22, 9, 9, 9, 8, 8, 12, 9, 2, 1, 6, 5]) / 100.0
PROMO_PERCENT = np.array([10, 15, 20, 10, 25, 15, 5, 10, 0, 30, 10, 10])

CATEGORIES = np.array(["kitchen", "lighting", "textiles", "storage", "garden", "office"])
ADJECTIVES = words("Oak Linen Brass Nordic Round Tall Woven Matte Folding Quiet")
THINGS = {
    "kitchen": ["Teapot", "Knife", "Bowl", "Board"],
    "lighting": ["Lamp", "Lantern", "Pendant", "Candle Holder"],
    "textiles": ["Throw", "Cushion", "Rug", "Towel"],
    "storage": ["Basket", "Shelf", "Box", "Hook"],
    "garden": ["Planter", "Trowel", "Bench", "Watering Can"],
    "office": ["Desk", "Notebook", "Tray", "Stool"],
}


def products_of(season: Season) -> pd.DataFrame:
    """Products launched in this season, by moment; in the first, also the opening assortment.

    `weight` says how much a product sells; `price_eur_cents` is its list price.
    """
    random = season.random("products")
    new = season.start + random.integers(0, DAYS * SECONDS_A_DAY, size=LAUNCHES_A_SEASON)
    opening = np.full(ASSORTMENT if season.number == 0 else 0, season.start - 30 * SECONDS_A_DAY)
    created = np.sort(np.concatenate([opening, new]))
    count = created.size
    before = 0 if season.number == 0 else ASSORTMENT + season.number * LAUNCHES_A_SEASON
    ids = FIRST_ID + before + np.arange(count)
    category = CATEGORIES[random.integers(0, CATEGORIES.size, size=count)]
    adjective = ADJECTIVES[random.integers(0, ADJECTIVES.size, size=count)]
    kind = random.integers(0, 4, size=count)
    euros = np.round(random.lognormal(mean=3.3, sigma=0.7, size=count)) + 3
    weight_grams = np.round(random.lognormal(mean=6.4, sigma=0.8, size=count))
    return pd.DataFrame(
        {
            "product_id": ids,
            "sku": [f"{c[:3].upper()}-{n}" for c, n in zip(category, ids, strict=True)],
            "product_name": [
                f"{a} {THINGS[c][k]}" for a, c, k in zip(adjective, category, kind, strict=True)
            ],
            "category": category,
            "price_eur_cents": (euros * 100 - 10).astype(np.int64),
            # The scale in the warehouse is younger than the catalogue.
            "weight_grams": np.where(random.random(count) < 0.12, np.nan, weight_grams),
            "created_at": timestamps(created),
            "weight": random.pareto(1.3, size=count) + 0.2,
        }
    )
