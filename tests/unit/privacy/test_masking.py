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
        ("plan_code", "pro", "pro"),
        ("feature", "export", "export"),
        ("customer_plan", "ask Ben: 0171 2345678", "‹text›"),
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


def test_what_only_tells_rows_apart_is_shown() -> None:
    assert _one("order_id", "A-1001") == "A-1001"
    assert _one("run_uuid", "6b6d3c1e-0000-4000-8000-000000000001") == (
        "6b6d3c1e-0000-4000-8000-000000000001"
    )
    assert _one("invoice_number", "2026/0001") == "‹text›"  # not one plain word
    assert _one("order_id", "Ann") == "‹text›"
    assert _one("phone_number", "0151-2345678") == "‹text›"
    assert _one("driver_id", "D-17") == "‹text›"
    assert _one("user_id", "ann@x.example") == "‹text›"
    assert _one("order_ref", "4111111111111111") == "‹text›"


def test_values_give_a_column_away_whatever_its_name() -> None:
    cards = (4111111111111111, 5500000000000004, 340000000000009)
    table = ResultTable(columns=("reference",), rows=tuple((card,) for card in cards))
    assert {row[0] for row in mask_table(table).rows} == {"‹number›"}
    people = ("Ann Smith", "Robert Jones", "Maria Diaz", "Peter Kim")
    table = ResultTable(columns=("status",), rows=tuple((name,) for name in people))
    assert {row[0] for row in mask_table(table).rows} == {"‹text›"}
    assert mask_table(table, harmless=["status"]) == table


VALUES = st.sampled_from(
    ["Ann Smith", "paid", "a@x.example", "A-1", "+49 151 2345678", "10.0.0.1", 7, None, "S", "DE"]
)


@given(st.sampled_from(["status", "order_id", "note", "region"]), st.lists(VALUES, max_size=8))
def test_masking_a_column_twice_is_masking_it_once(column: str, values: list[Cell]) -> None:
    table = ResultTable(columns=(column,), rows=tuple((value,) for value in values))
    once = mask_table(table)
    assert mask_table(once) == once
