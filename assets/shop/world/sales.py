"""What was bought: orders and their items.

About nine orders in a hundred have no customer record: guests have no customer id at all, and the
marketplace hands over ids of its own. A few orders arrive days late, from tills that were offline.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.shop.world import catalogue
from assets.shop.world.customers import COUNTRIES, COUNTRY_SHARES, CURRENCY_OF
from assets.shop.world.seasons import (
    SECONDS_A_DAY,
    Floats,
    Ints,
    Season,
    count_before,
    pick,
    seconds,
    timestamps,
)

FIRST_ORDER_ID = 100_001
MARKETPLACE_BUYER_IDS = 9_000_000
CHANNELS = {"web": 0.592, "app": 0.27, "store": 0.1, "marketplace": 0.038}
GUESTS = 0.054
CANCELLED = 0.02
LATE_TILLS = 0.12
WITH_PROMO = 0.22


def orders_of(season: Season, customers: pd.DataFrame, first_id: int) -> pd.DataFrame:
    """Orders placed in this season, numbered in the order of their arrival.

    Amounts are missing: they follow from the items. `promo_percent` and `currency_number` are
    for the items and stay in the shop's till.
    """
    random = season.random("orders")
    placed = season.moments_of_orders(random)
    count = placed.size
    channel = random.choice(list(CHANNELS), size=count, p=list(CHANNELS.values()))
    late = (random.random(count) < LATE_TILLS) & (channel == "store")
    delay = random.integers(6 * 3_600, 4 * SECONDS_A_DAY, size=count)
    arrived = placed + np.where(late, delay, 0)
    buyer, country = _buyers(placed, channel, customers, random)
    currency = pd.Series(country).map(CURRENCY_OF)
    promo = random.choice(catalogue.PROMO_CODES.size, size=count, p=catalogue.PROMO_SHARES)
    has_promo = random.random(count) < WITH_PROMO
    orders = pd.DataFrame(
        {
            "customer_id": buyer,
            "channel": channel,
            "currency": currency,
            "shipping_country": pd.Series(country).where(random.random(count) >= 0.015, None),
            "promo_code": pd.Series(catalogue.PROMO_CODES[promo]).where(has_promo, None),
            "status": np.where(random.random(count) < CANCELLED, "cancelled", "completed"),
            "placed_at": timestamps(placed),
            "synced_at": timestamps(arrived),
            "promo_percent": np.where(has_promo, catalogue.PROMO_PERCENT[promo], 0),
            "currency_number": pd.Index(catalogue.CURRENCIES).get_indexer(pd.Index(currency)),
        }
    )
    orders = orders.iloc[np.argsort(arrived, kind="stable")].reset_index(drop=True)
    orders.insert(0, "order_id", first_id + np.arange(count))
    return orders


def _buyers(
    placed: Ints, channel: np.ndarray, customers: pd.DataFrame, random: np.random.Generator
) -> tuple[pd.Series, np.ndarray]:
    """Customer ids (nullable) and the country the parcel goes to."""
    known = count_before(seconds(customers["registered_at"]), placed)
    position = pick(customers["weight"].to_numpy(np.float64), known, random)
    ids = customers["customer_id"].to_numpy(np.int64)[position]
    country = customers["country"].to_numpy(object)[position]
    elsewhere = COUNTRIES[random.choice(COUNTRIES.size, size=placed.size, p=COUNTRY_SHARES)]
    marketplace = channel == "marketplace"
    strangers = MARKETPLACE_BUYER_IDS + random.integers(0, 900_000, size=placed.size)
    guest = ~marketplace & (random.random(placed.size) < GUESTS)
    buyer = pd.Series(np.where(marketplace, strangers, ids), dtype="Int64").mask(guest)
    return buyer, np.where(guest | marketplace, elsewhere, country)


def items_of(season: Season, orders: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """One row per order and product line; `order_item_id` is the order's id and the line."""
    random = season.random("items")
    lines = np.minimum(random.geometric(0.47, size=len(orders)), 8)
    of_order = np.repeat(np.arange(len(orders)), lines)
    line = np.arange(of_order.size) - np.repeat(np.cumsum(lines) - lines, lines) + 1
    known = count_before(seconds(products["created_at"]), seconds(orders["placed_at"])[of_order])
    position = pick(products["weight"].to_numpy(np.float64), known, random)
    retired = random.random(of_order.size) < catalogue.RETIRED_SHARE
    retired_id = random.choice(catalogue.RETIRED_IDS, size=of_order.size)
    euro_cents = products["price_eur_cents"].to_numpy(np.int64)[position]
    price = _in_currency(euro_cents, orders["currency_number"].to_numpy(np.int64)[of_order])
    order_id = orders["order_id"].to_numpy(np.int64)[of_order]
    ids = products["product_id"].to_numpy(np.int64)[position]
    return pd.DataFrame(
        {
            "order_item_id": order_id * 10 + line,
            "order_id": order_id,
            "product_id": np.where(retired, retired_id, ids),
            "quantity": np.minimum(random.geometric(0.72, size=of_order.size), 12),
            "unit_price_cents": price,
            "synced_at": orders["synced_at"].to_numpy()[of_order],
        }
    )


def add_amounts(season: Season, orders: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Shipping, discount and total of each order, in hundredths of its currency's unit."""
    random = season.random("shipping")
    line = items["unit_price_cents"].to_numpy(np.int64) * items["quantity"].to_numpy(np.int64)
    position = items["order_id"].to_numpy(np.int64) - int(orders["order_id"].iloc[0])
    goods = np.bincount(position, weights=line, minlength=len(orders)).astype(np.int64)
    currency = orders["currency_number"].to_numpy(np.int64)
    fee = _in_currency(random.choice([0, 390, 590, 1_290], size=len(orders)), currency)
    percent = orders["promo_percent"].to_numpy(np.float64)
    discount = _whole_units(goods * percent / 100.0, currency)
    return orders.assign(
        shipping_cents=fee, discount_cents=discount, total_cents=goods + fee - discount
    )


def _in_currency(euro_cents: Ints, currency: Ints) -> Ints:
    return _whole_units(euro_cents * catalogue.UNITS_PER_EUR[currency], currency)


def _whole_units(hundredths: Floats | Ints, currency: Ints) -> Ints:
    """Rounded to what the currency can be paid in: there is no tenth of a yen."""
    step = np.where(catalogue.CURRENCIES[currency] == "JPY", 100, 1)
    return (np.round(hundredths / step) * step).astype(np.int64)
