"""`World`: everything that has happened in the shop up to a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache

import pandas as pd

from assets.shop.world.catalogue import products_of
from assets.shop.world.customers import customers_of
from assets.shop.world.gifts import gift_cards_of
from assets.shop.world.ledger import ledger_of
from assets.shop.world.money import FIRST_PAYMENT_ID, FIRST_REFUND_ID, payments_of, refunds_of
from assets.shop.world.sales import FIRST_ORDER_ID, add_amounts, items_of, orders_of
from assets.shop.world.seasons import DAYS, Season


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopState:
    """The rows that exist at one moment. Amounts are in hundredths, moments are naive UTC."""

    customers: pd.DataFrame
    """Registered customers, with their personal data."""
    products: pd.DataFrame
    """The catalogue, without products that were deleted from it."""
    orders: pd.DataFrame
    """One row per order."""
    order_items: pd.DataFrame
    """One row per order and product line."""
    payments: pd.DataFrame
    """One row per captured payment."""
    refunds: pd.DataFrame
    """One row per refund."""
    gift_cards: pd.DataFrame
    """One row per gift card sold."""

    def ledger(self) -> pd.DataFrame:
        """What the payment processor has in its books at the same moment."""
        return ledger_of(self.payments, self.refunds)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A shop that opened one day. Two worlds with the same opening day are equal, row by row."""

    opened: date
    """First day of business."""

    def as_of(self, moment: datetime) -> ShopState:
        """All rows that have arrived before `moment` (aware). What was there stays as it was."""
        until = pd.Timestamp(moment.astimezone(UTC).replace(tzinfo=None))
        age = moment - datetime.combine(self.opened, time(), tzinfo=UTC)
        seasons = max(1, -(-age // _SEASON)) if age.total_seconds() > 0 else 1
        history = _history(self.opened, seasons)
        return ShopState(
            customers=_before(history.customers, "registered_at", until),
            products=_before(history.products, "created_at", until),
            orders=_before(history.orders, "synced_at", until),
            order_items=_before(history.order_items, "synced_at", until),
            payments=_before(history.payments, "captured_at", until),
            refunds=_before(history.refunds, "refunded_at", until),
            gift_cards=_before(history.gift_cards, "sold_at", until),
        )


_SEASON = pd.Timedelta(days=DAYS).to_pytimedelta()


def _before(frame: pd.DataFrame, column: str, until: pd.Timestamp) -> pd.DataFrame:
    return frame[frame[column] < until].reset_index(drop=True)


@lru_cache(maxsize=4)
def _history(opened: date, seasons: int) -> ShopState:
    """All seasons, the last one to its end: each builds on those before, none looks ahead."""
    customers = products = pd.DataFrame()
    parts: dict[str, list[pd.DataFrame]] = {
        name: [] for name in ("orders", "order_items", "payments", "refunds", "gift_cards")
    }
    order_id, payment_id, refund_id = FIRST_ORDER_ID, FIRST_PAYMENT_ID, FIRST_REFUND_ID
    for number in range(seasons):
        season = Season(number=number, opened=opened)
        customers = pd.concat([customers, customers_of(season)], ignore_index=True)
        products = pd.concat([products, products_of(season)], ignore_index=True)
        orders = orders_of(season, customers, order_id)
        items = items_of(season, orders, products)
        orders = add_amounts(season, orders, items)
        payments = payments_of(season, orders, payment_id)
        refunds = refunds_of(season, payments, refund_id)
        order_id += len(orders)
        payment_id += len(payments)
        refund_id += len(refunds)
        cards = gift_cards_of(season)
        for name, frame in zip(parts, (orders, items, payments, refunds, cards), strict=True):
            parts[name].append(frame)
    joined = {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}
    return ShopState(customers=customers, products=products, **joined)
