"""What was paid and given back, as the shop records it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.shop.world.seasons import SECONDS_A_DAY, Ints, Season, seconds, timestamps

FIRST_PAYMENT_ID = 500_001
FIRST_REFUND_ID = 800_001
SPLIT = 0.025
REFUNDED = 0.048
METHODS = ["card", "paypal", "apple_pay", "bank_transfer"]
REASONS = np.array(["damaged", "wrong size", "too late", "changed mind"])


def payments_of(season: Season, orders: pd.DataFrame, first_id: int) -> pd.DataFrame:
    """Captured payments of the season's orders: one an order, two where two cards were used."""
    random = season.random("payments")
    paid = orders[(orders["status"] == "completed") & (orders["total_cents"] > 0)]
    split = random.random(len(paid)) < SPLIT
    of_order = np.repeat(np.arange(len(paid)), 1 + split.astype(np.int64))
    second = np.concatenate([[False], of_order[1:] == of_order[:-1]])
    total = paid["total_cents"].to_numpy(np.int64)[of_order]
    # A whole number of hundreds, so that both parts can be paid in yen, too.
    half = np.where(split[of_order], total // 200 * 100, 0)
    amount = np.where(second, half, total - half)
    arrived = seconds(paid["synced_at"])[of_order]
    captured = arrived + random.integers(5, 900, size=of_order.size)
    payments = pd.DataFrame(
        {
            "order_id": paid["order_id"].to_numpy(np.int64)[of_order],
            "method": random.choice(METHODS, size=of_order.size, p=[0.58, 0.21, 0.14, 0.07]),
            "amount_cents": amount,
            "currency": paid["currency"].to_numpy(object)[of_order],
            "captured_at": timestamps(captured),
        }
    )
    payments = payments[payments["amount_cents"] > 0]
    payments = payments.sort_values(["captured_at", "order_id"], kind="stable", ignore_index=True)
    ids = first_id + np.arange(len(payments))
    payments.insert(0, "payment_id", ids)
    payments["processor_charge_id"] = _opaque("ch", ids)
    return payments


def refunds_of(season: Season, payments: pd.DataFrame, first_id: int) -> pd.DataFrame:
    """Refunds of the season's payments, whole or in part, days or weeks later."""
    random = season.random("refunds")
    back = payments[random.random(len(payments)) < REFUNDED]
    captured = seconds(back["captured_at"])
    delay = random.gamma(2.0, 5.0, size=len(back)) * SECONDS_A_DAY
    paid = back["amount_cents"].to_numpy(np.int64)
    whole = (random.random(len(back)) < 0.6) | (paid < 300)
    third: Ints = paid // 300 * 100
    amount = np.where(whole, paid, third)
    reason = REASONS[random.integers(0, REASONS.size, size=len(back))]
    refunds = pd.DataFrame(
        {
            "payment_id": back["payment_id"].to_numpy(np.int64),
            "order_id": back["order_id"].to_numpy(np.int64),
            "amount_cents": amount,
            "currency": back["currency"].to_numpy(object),
            "reason": pd.Series(reason).where(random.random(len(back)) < 0.8, None),
            "refunded_at": timestamps(captured + 3_600 + delay.astype(np.int64)),
        }
    )
    refunds = refunds.sort_values(["refunded_at", "payment_id"], kind="stable", ignore_index=True)
    ids = first_id + np.arange(len(refunds))
    refunds.insert(0, "refund_id", ids)
    refunds["processor_refund_id"] = _opaque("re", ids)
    return refunds


def _opaque(prefix: str, ids: Ints) -> list[str]:
    """Ids as a processor makes them, without an order of their own (splitmix64)."""
    mixed = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return [f"{prefix}_{n:016x}" for n in mixed ^ (mixed >> np.uint64(31))]
