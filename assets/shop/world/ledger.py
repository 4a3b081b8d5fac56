"""The payment processor's books: the truth about money that the shop does not write itself.

One row per movement: a charge, its fee, a refund. Amounts are signed integers in the currency's
minor unit (cents, but whole yen), moments are epoch seconds, currencies are lower case.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from assets.shop.world.seasons import seconds

FEE_SHARE = 0.014


def ledger_of(payments: pd.DataFrame, refunds: pd.DataFrame) -> pd.DataFrame:
    """The ledger that belongs to these payments and refunds, by moment."""
    charge_of = payments.set_index("payment_id")["processor_charge_id"]
    charges = pd.DataFrame(
        {
            "movement": "charge",
            "charge": payments["processor_charge_id"],
            "refund": None,
            "minor_amount": _minor(payments["amount_cents"], payments["currency"]),
            "ccy": payments["currency"].str.lower(),
            "merchant_reference": "SHOP-" + payments["order_id"].astype(str),
            "created": seconds(payments["captured_at"]),
        }
    )
    fees = charges.assign(
        movement="fee",
        minor_amount=-np.ceil(charges["minor_amount"] * FEE_SHARE).astype(np.int64),
    )
    returned = pd.DataFrame(
        {
            "movement": "refund",
            "charge": refunds["payment_id"].map(charge_of),
            "refund": refunds["processor_refund_id"],
            "minor_amount": -_minor(refunds["amount_cents"], refunds["currency"]),
            "ccy": refunds["currency"].str.lower(),
            "merchant_reference": "SHOP-" + refunds["order_id"].astype(str),
            "created": seconds(refunds["refunded_at"]),
        }
    )
    movements = pd.concat([charges, fees, returned], ignore_index=True)
    return movements.sort_values(
        ["created", "charge", "movement"], kind="stable", ignore_index=True
    )


def _minor(cents: pd.Series, currency: pd.Series) -> pd.Series:
    return (cents // np.where(currency == "JPY", 100, 1)).astype(np.int64)
