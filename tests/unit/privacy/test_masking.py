"""What passes, what is masked, and that a mask tells nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.model import Cell, ResultTable
from dagster_agent.privacy.masking import mask_table
from dagster_agent.privacy.personal import is_personal


def _one(column: str, value: Cell, **options: object) -> Cell:
    table = ResultTable(columns=(column,), rows=((value,),))
    return mask_table(table, **options).scalar()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("order_id", 7, 7),
        ("amount", Decimal("1.50"), Decimal("1.50")),
        ("ordered_at", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
        ("is_paid", True, True),
        ("note", "call me", "‹text›"),
        ("note", "x" * 65, "‹long text›"),
        ("note", "", ""),
        ("email", None, None),
        ("payload", b"ab", "‹bytes›"),
        ("ssn", 123456789, "‹number›"),
        ("phone_number", 49123, "‹number›"),
        ("customerPhone", 49123, "‹number›"),
        ("BIRTHDAY", date(1990, 1, 1), "‹date›"),
        ("date_of_birth", date(1990, 1, 1), "‹date›"),
        ("address_id", 12, 12),
        ("passport_id", 12, "‹number›"),
        ("has_email", True, True),
        ("description", 5, 5),  # holds "ip" only inside a word
        ("shipping_date", date(2026, 1, 1), date(2026, 1, 1)),
        ("currency", "EUR", "EUR"),
        ("order_status", "paid", "paid"),
        ("country_code", "DE", "DE"),
        ("status", "mail to a@b.example", "‹text›"),
        ("status", "4111 1111 1111", "‹text›"),
        ("email_status", "bounced", "‹text›"),
        ("strasse", "Größe", "‹text›"),
    ],
)
def test_the_policy(column: str, value: Cell, shown: Cell) -> None:
    assert _one(column, value) == shown


def test_what_the_customer_says_wins() -> None:
    assert _one("tailnum", "N14228", harmless=["TAILNUM"]) == "N14228"
    assert _one("status", "paid", personal=["status"]) == "‹text›"
    assert _one("amount", 5, personal=["amount"], harmless=["amount"]) == "‹number›"


def test_secrets_in_harmless_text_go() -> None:
    assert _one("log", "password=hunter2", harmless=["log"]) == "password=[redacted]"


def test_masking_keeps_shape() -> None:
    table = ResultTable(columns=("id", "name"), rows=((1, "Ann"), (1, None)), truncated=True)
    assert mask_table(table) == ResultTable(
        columns=("id", "name"), rows=((1, "‹text›"), (1, None)), truncated=True
    )


CELLS = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.dates()


@given(st.sampled_from(["email", "note", "first_name", "id", "status"]), CELLS)
def test_masking_twice_is_masking_once(column: str, value: Cell) -> None:
    once = _one(column, value)
    assert _one(column, once) == once


@given(st.text(min_size=1, max_size=64), st.text(min_size=1, max_size=64))
def test_short_texts_are_indistinguishable(one: str, other: str) -> None:
    assert _one("note", one) == _one("note", other)


@pytest.mark.parametrize(
    "column", ["ip", "client_ip", "IPAddress", "cardNumber", "first_name", "zip"]
)
def test_personal_names(column: str) -> None:
    assert is_personal(column)


@pytest.mark.parametrize(
    "column",
    [
        "tax_amount",
        "weight",
        "last_login",
        "ship_mode",
        "zipped",
        "pinned",
        "product_name",
        "cardinality",
        "",
    ],
)
def test_other_names(column: str) -> None:
    assert not is_personal(column)
