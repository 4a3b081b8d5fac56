"""Which columns hold personal data, judged by their names."""

from __future__ import annotations

import re
from itertools import pairwise


def lexicon(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


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
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


def words(column: str) -> tuple[str, ...]:
    """The words of a column's name in lower case: `customerEmail` and `customer_email` alike."""
    return tuple(word.lower() for word in _WORD.findall(column) if not word.isdigit())


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
