"""Names and values are weighed together: which columns are personal, which only look so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.privacy.name_words import split_words, words
from dagster_agent.privacy.personal import PersonalData, judge_column
from dagster_agent.privacy.value_kinds import card, dni, iban, kind_of, luhn, nir, phone

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "security" / "personal-data.yaml").read_text()
)
KINDS = {
    *("email", "phone", "name", "address", "postal_code", "date_of_birth", "national_id"),
    *("passport", "credit_card", "iban", "bank_account", "ip_address", "device_id", "geo"),
    *("username", "gender", "health", "income", "tax_id", "license_plate", "free_text"),
    *("credential", "sensitive"),
}


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['column']}-{c['kind'] or 'none'}")
def test_the_corpus(case: dict[str, Any]) -> None:
    found = judge_column(case["table"], case["column"], case["type"], case["values"])
    assert (found.pii, found.kind) == (bool(case["kind"]), case["kind"])
    assert 0.5 <= found.confidence <= 1


def test_every_kind_has_cases() -> None:
    assert {case["kind"] for case in CASES} == KINDS | {""}
    assert sum(not case["kind"] for case in CASES) > 100


def test_the_answer_in_full() -> None:
    emails = ["a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example"]
    assert judge_column("t", "c1", "varchar", emails) == PersonalData(
        pii=True, kind="email", confidence=0.99
    )
    assert judge_column("t", "email_sent_count", "int", [1, 2]) == PersonalData(
        pii=False, kind="", confidence=0.95
    )


def test_more_agreeing_values_never_lower_the_confidence() -> None:
    emails = [f"person{n}@x.example" for n in range(30)]
    sure = [judge_column("", "c", "", emails[:n]).confidence for n in range(3, 30)]
    assert sure == sorted(sure)


@given(
    st.text(max_size=20),
    st.text(max_size=20),
    st.sampled_from(["", "VARCHAR", "BIGINT", "BOOLEAN", "DATE", "JSON", "DOUBLE"]),
    st.lists(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30), max_size=8
    ),
)
def test_anything_is_judged(table: str, column: str, type_: str, values: list[Any]) -> None:
    found = judge_column(table, column, type_, values)
    assert found.pii is bool(found.kind)
    assert found.kind in KINDS | {""}


@given(st.sampled_from(CASES), st.randoms(use_true_random=False))
def test_order_repetition_and_nulls_change_nothing(case: dict[str, Any], random: Any) -> None:
    values = [*case["values"], *case["values"], None, ""]
    random.shuffle(values)
    told = judge_column(case["table"], case["column"], case["type"], values)
    assert told.kind == case["kind"]


def test_check_digits() -> None:
    assert luhn("4111111111111111")
    assert card("5500-0000-0000-0004")
    assert not card("4111111111111112")
    assert not card("0000000000000000")
    assert iban("DE89 3704 0044 0532 0130 00")
    assert not iban("DE88 3704 0044 0532 0130 00")
    assert dni("12345678Z")
    assert not dni("12345678A")
    assert nir("1 84 12 76 451 089 46")
    assert not nir("1 84 12 76 451 089 47")


def test_forms() -> None:
    assert phone("+49 151 2345678")
    assert not phone("2024-01-02")
    assert not phone("978-3-16-148410-0")
    assert kind_of("git@github.com:acme/repo.git") == ""
    assert kind_of("write to ann@x.example " + "please " * 40) == "free_text"
    assert kind_of("2001:db8::1") == "ip_address"
    assert kind_of("12:30:45") == ""


def test_words_of_names() -> None:
    assert words("customerEMail_Straße2") == ("customer", "e", "mail", "strasse")
    assert words("Prénom") == ("prenom",)
    assert split_words("customeremail", {"customer", "email", "mail"}) == ("customer", "email")
    assert split_words("unknownword", {"known"}) == ("unknownword",)
