"""Which columns hold personal data, judged by their names, types and sample values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dagster_agent.privacy.column_evidence import ColumnValues, read_values
from dagster_agent.privacy.name_kinds import (
    NameSays,
    Strength,
    is_machines_table,
    is_people_table,
    is_records_table,
    is_talk_table,
    is_things_table,
    name_says,
)
from dagster_agent.privacy.name_words import lexicon, words

__all__ = ["PersonalData", "is_personal", "judge_column", "lexicon", "words"]


PERSONAL = lexicon("""
    address addr bic birth birthdate birthday card cc citizenship cvc cvv diagnosis disability dob
    driver email emails ethnicity fax fingerprint firstname forename fullname gender iban income
    ip ipaddress ipv4 ipv6 lastname lat latitude license licence lng lon longitude mac mail maiden
    mobile msisdn nationality nickname nin pan passport patient phone phonenumber pin postal
    postcode race recipient religion salary sex ssn street surname swift tel telephone username
    wage zip zipcode
""")
"""Words of a column's name, each of which is enough."""
_PAIRS = lexicon("""
    account_number bank_account customer_name credit_card display_name family_name first_name
    full_name given_name id_number last_name legal_name middle_name national_id person_name
    personal_id social_security tax_id tax_number user_agent user_name vat_id vat_number
""")
"""Two neighbouring words that are enough together."""
_ALWAYS = lexicon("driver iban license licence nin passport pan ssn")
"""Numbers that identify a person whatever follows in the name: `passport_id`."""
_SURROGATE = lexicon("id key sk fk count cnt flag version")
"""Last words of numbers that only point at, or count, personal data: `address_id`."""
_AGREE = 0.6
"""Share of distinct values from which on their form decides."""
_WITHOUT_CHECK_DIGIT = lexicon("phone ip_address postal_code geo national_id")
"""Kinds whose form numbers of orders and tickets may have by chance."""
_SPELLED_ALIKE = frozenset({
    ("national_id", "tax_id"), ("tax_id", "national_id"), ("credit_card", "device_id"),
    ("credit_card", "bank_account"), ("phone", "national_id"),
})  # fmt: skip
"""Form and name that go together: an IMEI has a payment card's check digit. The name decides."""
_PLAIN_NUMBER_KINDS = lexicon("credit_card")
"""Kinds whose values alone decide although they are but numbers: they have check digits."""
_DOUBTFUL = lexicon("phone ip_address postal_code geo address")
"""Kinds whose form other things have too: versions, part numbers, coordinates of shops."""
_OF_THINGS_TOO = lexicon("geo address postal_code phone health free_text bank_account sensitive")
"""Kinds that shops, servers and products have as well as people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """What is known of one column."""

    pii: bool
    """Whether it holds personal data or credentials."""
    kind: str
    """`email`, `phone`, `name`, `address`, `postal_code`, `date_of_birth`, `national_id`,
    `passport`, `credit_card`, `iban`, `bank_account`, `ip_address`, `device_id`, `geo`, `username`,
    `gender`, `health`, `sensitive` (religion, ethnicity, politics, union, marital status,
    nationality), `income`, `tax_id`, `license_plate`, `free_text` or `credential`; empty when it is
    none. The personal number of a country is a `national_id` even where the tax office issues it
    (CPF, SSN, DNI), unless the column's name speaks of tax (`nif`, `tin`, `steuer_id`)."""
    confidence: float
    """0 to 1, how sure it is of `pii`, whichever way."""


def is_personal(column: str, *, number: bool = False) -> bool:
    """Whether the column's name says that its values are about a person.

    Args:
        column: Name in the warehouse's spelling.
        number: Whether the values are numbers or booleans; then `address_id` and `has_email` are
            not personal.
    """
    parts = words(column)
    pairs = {f"{left}_{right}" for left, right in pairwise(parts)}
    if number and parts and not (pairs & _PAIRS or _ALWAYS.intersection(parts)):
        surrogate = parts[-1] in _SURROGATE or parts[0] in {"is", "has", "num", "count"}
        return not surrogate and not PERSONAL.isdisjoint(parts)
    return not PERSONAL.isdisjoint(parts) or not pairs.isdisjoint(_PAIRS)


def judge_column(table: str, column: str, type: str, values: Sequence[object]) -> PersonalData:  # noqa: A002 - the word of the contract
    """Weigh a column's name against its type and sample values.

    A strong name (`email`) is believed unless the values contradict it (booleans, counts, texts
    that cannot be one); a weak one (`contact`, `name`) only with values or a table that agree;
    values of an unmistakable form (e-mail, IBAN, payment card) are enough by themselves.

    Args:
        table: Its table's name; empty when unknown.
        column: Its name in the warehouse's spelling.
        type: Its type in the warehouse's words; empty when unknown.
        values: Some of its values, better distinct ones; NULLs are ignored.
    """
    says = name_says(column, table)
    seen = read_values(type, values)
    by_values = _by_values(says, seen, table)
    if by_values is not None:
        return by_values
    scattered = seen.scattered
    if scattered == "free_text":
        named = says.strength is Strength.STRONG and not seen.contradicts(says.kind, body=says.body)
        scattered = "" if named or _about_things(scattered, table) else scattered
    if scattered:
        return PersonalData(pii=True, kind=scattered, confidence=0.7)
    if says.strength is Strength.NOTHING:
        full_names = seen.full_names >= _AGREE and not is_things_table(table)
        if not says.harmless and (seen.genders or full_names):
            kind = "gender" if seen.genders else "name"
            return PersonalData(pii=True, kind=kind, confidence=0.75)
        return _none(0.95 if says.harmless else 0.75 if seen.texts or seen.numeric else 0.6)
    if seen.contradicts(says.kind, body=says.body):
        return _none(0.9)
    if says.strength is Strength.STRONG:
        return _by_strong_name(says, seen, table)
    return _by_weak_name(says, seen, table)


def _by_values(says: NameSays, seen: ColumnValues, table: str) -> PersonalData | None:
    """A verdict by the values' form alone; None where it decides nothing."""
    kind, share = seen.form
    if share < _AGREE or seen.count < (2 if says.kind == kind else 3):
        return None
    if (kind, says.kind) in _SPELLED_ALIKE and says.strength is Strength.STRONG:
        kind = says.kind
    named = says.kind == kind and not says.harmless
    if says.harmless and kind in _WITHOUT_CHECK_DIGIT:
        return None
    if kind == "free_text" and says.strength is Strength.STRONG:
        return None
    if seen.numeric and not named and kind not in _PLAIN_NUMBER_KINDS:
        return None
    if kind in _DOUBTFUL and not named and (seen.count < 4 or share < 0.8 or seen.versions):
        return None
    if _about_things(kind, table):
        return None
    few = 0.1 if seen.count < 5 else 0.0
    return PersonalData(pii=True, kind=kind, confidence=round(0.99 - few - 0.2 * (1 - share), 2))


def _by_strong_name(says: NameSays, seen: ColumnValues, table: str) -> PersonalData:
    if _about_things(says.kind, table):
        return _none(0.6)
    if says.kind == "name" and (seen.companies >= 0.5 or _only_senders(seen, table)):
        return _none(0.75)
    if says.kind == "username" and seen.full_names >= _AGREE:
        return PersonalData(pii=True, kind="name", confidence=0.9)
    if says.kind == "free_text" and seen.texts and seen.words < 3:
        return _none(0.65)
    if says.kind == "free_text":
        return PersonalData(pii=True, kind=says.kind, confidence=0.7)
    return PersonalData(pii=True, kind=says.kind, confidence=0.92 if seen.count else 0.85)


def _by_weak_name(says: NameSays, seen: ColumnValues, table: str) -> PersonalData:
    person = is_people_table(table)
    agrees = {
        "name": seen.names >= 0.4 or seen.full_names >= _AGREE or (person and seen.names >= 0.15),
        "phone": seen.loosely("phone") >= 0.8 and seen.shortest >= 7,
        "gender": seen.genders,
        "free_text": (person or is_talk_table(table)) and seen.words >= 5,
        "geo": person and seen.loosely("geo") >= 0.9 and seen.count > 0,
        "date_of_birth": seen.moment and person,
        "income": person and seen.numeric,
        "bank_account": person and seen.loosely("bank_account") >= 0.9 and seen.shortest >= 8,
        "address": seen.form[0] == "address" and (person or seen.form[1] >= 0.4),
        "username": person and seen.loosely("username") >= 0.9 and not seen.numeric,
    }.get(says.kind, False)
    things = is_things_table(table) and not _is_record(says.kind, table)
    if agrees and not things:
        return PersonalData(pii=True, kind=says.kind, confidence=0.75)
    return _none(0.6)


def _about_things(kind: str, table: str) -> bool:
    """Whether that kind is of shops or servers in such a table, and not of people."""
    if kind == "ip_address":
        return is_machines_table(table)
    return kind in _OF_THINGS_TOO and is_things_table(table) and not _is_record(kind, table)


def _is_record(kind: str, table: str) -> bool:
    """Whether it is where somebody was, or whom somebody called, as rows of a log say."""
    return kind in {"geo", "phone"} and is_records_table(table)


def _only_senders(seen: ColumnValues, table: str) -> bool:
    """`sender_name` in a table of settings: what a mail is signed with."""
    return is_things_table(table) and seen.count >= 2 and seen.names < 0.15


def _none(confidence: float) -> PersonalData:
    return PersonalData(pii=False, kind="", confidence=confidence)
