"""Who buys: registered customers. Guests and marketplace buyers have no record here."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.shop.world.seasons import DAYS, SECONDS_A_DAY, Season, timestamps, words

FOUNDING = 4_000
NEW_A_SEASON = 4_600
FIRST_ID = 10_001

COUNTRIES = np.array(["DE", "FR", "NL", "GB", "US", "JP", "CH"])
COUNTRY_SHARES = np.array([0.21, 0.15, 0.10, 0.18, 0.25, 0.06, 0.05])
CURRENCY_OF = {
    "DE": "EUR",
    "FR": "EUR",
    "NL": "EUR",
    "GB": "GBP",
    "US": "USD",
    "JP": "JPY",
    "CH": "CHF",
}
FIRST_NAMES = words("""
    Ada Aiko Amélie Anna Ben Camille Chloé Daan Daniel Elif Emma Fatima Felix Grace Hana Hugo
    Ines Jack James Jonas Julia Kenji Lars Léa Liam Lotte Lucas Maja Marie Mateo Mia Mohammed
    Nina Noah Olivia Oscar Paul Priya Ren Rosa Sakura Sam Sofia Theo Tom Yuki Zoë
""")
LAST_NAMES = words("""
    Ahmed Bakker Bauer Becker Bernard Brown Clark Davis Dubois Evans Fischer Garcia Hall Ito
    Jansen Johnson Jones Keller Kobayashi Laurent Lee Lewis Martin Meier Meyer Miller Moreau
    Müller Nakamura O'Brien Patel Petit Roberts Sato Schmid Schneider Smit Smith Suzuki Tanaka
    Taylor Visser Wagner Weber White Williams Wilson Wright Yılmaz Young
""")


def customers_of(season: Season) -> pd.DataFrame:
    """Those who register in this season, by moment; in the first, also those of before.

    `weight` says how much a customer buys: few of them place most of the orders.
    """
    random = season.random("customers")
    new = season.start + random.integers(0, DAYS * SECONDS_A_DAY, size=NEW_A_SEASON)
    older = season.start - random.integers(
        SECONDS_A_DAY, 900 * SECONDS_A_DAY, size=FOUNDING if season.number == 0 else 0
    )
    registered = np.sort(np.concatenate([older, new]))
    count = registered.size
    before = 0 if season.number == 0 else FOUNDING + season.number * NEW_A_SEASON
    first = FIRST_NAMES[random.integers(0, FIRST_NAMES.size, size=count)]
    last = LAST_NAMES[random.integers(0, LAST_NAMES.size, size=count)]
    has_phone = random.random(count) >= 0.31
    has_email = random.random(count) >= 0.01
    phone = random.integers(10**8, 10**9, size=count)
    opted = random.random(count)
    customers = pd.DataFrame(
        {
            "customer_id": FIRST_ID + before + np.arange(count),
            "full_name": [f"{a} {b}" for a, b in zip(first, last, strict=True)],
            "country": COUNTRIES[random.choice(COUNTRIES.size, size=count, p=COUNTRY_SHARES)],
            "registered_at": timestamps(registered),
            "weight": random.lognormal(mean=0.0, sigma=1.5, size=count),
        }
    )
    name = customers["full_name"].str.lower().str.replace(r"[^a-z]+", ".", regex=True)
    email = name + customers["customer_id"].astype(str) + "@example.com"
    customers["email"] = email.where(has_email, None)
    customers["phone"] = pd.Series([f"+00 {n}" for n in phone]).where(has_phone, None)
    customers["opted_in"] = pd.Series(opted > 0.6, dtype="boolean").mask(opted < 0.08)
    return customers
