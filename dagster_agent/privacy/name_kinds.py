"""What a column's name says about its values."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from dagster_agent.privacy.name_hints import WEAK
from dagster_agent.privacy.name_languages import FURTHER
from dagster_agent.privacy.name_lexicon import (
    BODY,
    GLUE,
    HEADS,
    MACHINES,
    NOT_PERSONAL_AFTER,
    NUMBERS,
    OF_DOCUMENTS,
    PEOPLE,
    RECORDS,
    SHORTHAND,
    TAILS,
    TALK,
    THINGS,
)
from dagster_agent.privacy.name_phrases import STRONG
from dagster_agent.privacy.name_words import split_words


def _kinds(text: str) -> Mapping[str, frozenset[tuple[str, ...]]]:
    """The blocks of `name_phrases` by kind, each phrase as its words."""
    found: dict[str, frozenset[tuple[str, ...]]] = defaultdict(frozenset)
    for kind, phrases in re.findall(r"(\w+):\n((?:    .*\n)+)", text):
        found[kind] |= frozenset(tuple(p.strip().split("_")) for p in phrases.split(","))
    return found


class Strength(IntEnum):
    """How much the name alone says."""

    NOTHING = 0
    WEAK = 1
    """The values have to agree."""
    STRONG = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NameSays:
    """The kind that a name stands for."""

    kind: str = ""
    """As in `PersonalData.kind`."""
    strength: Strength = Strength.NOTHING
    harmless: bool = False
    """The name says that the values are about no person: counts, states, names of things."""
    body: bool = False
    """It names a measure of the body, which is a number."""


_STRONG = _kinds(STRONG + FURTHER)
_WEAK = _kinds(WEAK)
_BY_PHRASE: Mapping[tuple[str, ...], tuple[str, Strength]] = {
    **{
        p: (kind, Strength.WEAK) for kind, phrases in reversed(list(_WEAK.items())) for p in phrases
    },
    **{
        p: (kind, Strength.STRONG)
        for kind, phrases in reversed(list(_STRONG.items()))
        for p in phrases
    },
}
_NAMES = frozenset({"name", "nom", "nome", "nombre", "naam", "namn", "navn"})
_FULL_NAMES = frozenset({("full", "name"), ("fullname",)})
"""Repositories and departments have them too."""
_LONGEST = max(map(len, _BY_PHRASE))
_KNOWN = frozenset(w for phrase in _BY_PHRASE for w in phrase if len(w) > 2) | GLUE | {"id", "of"}
_SHORT = frozenset({"ip", "lat", "lon", "lng", "tel", "zip"})
_NEVER_GLUED = frozenset(
    {"pan", "tin", "rue", "rua", "cap", "cep", "rg", "sin", "nie", "nir", "ort"}
)
VOCABULARY = (_KNOWN | THINGS | PEOPLE | TAILS) - _NEVER_GLUED - _SHORT


def is_people_table(table: str) -> bool:
    """Whether each row of a table of that name is likely a person."""
    found = split_words(table, VOCABULARY)
    return not PEOPLE.isdisjoint(found) and not _is_things(found)


def is_talk_table(table: str) -> bool:
    """Whether each row is something that a person wrote or said."""
    return not TALK.isdisjoint(split_words(table, VOCABULARY))


def is_things_table(table: str) -> bool:
    """Whether each row of a table of that name is likely a thing, a place or an organisation."""
    return _is_things(split_words(table, VOCABULARY))


def is_records_table(table: str) -> bool:
    """Whether each row is something that happened, such as an event, or an entry of a list."""
    return bool(found := split_words(table, VOCABULARY)) and found[-1] in RECORDS


def is_machines_table(table: str) -> bool:
    """Whether each row is a server, a router or the like."""
    return bool(found := split_words(table, VOCABULARY)) and found[-1] in MACHINES


def _is_things(found: tuple[str, ...]) -> bool:
    meaning = [word for word in found if word not in {"dim", "fct", "stg", "raw", "int", "src"}]
    return bool(meaning) and meaning[-1] in THINGS


def name_says(column: str, table: str = "") -> NameSays:
    """What the name says. The longest phrase wins, of equals the later one: `user_ip_address` is
    an IP address, `company_phone` a phone number."""
    found = _spelled_out(split_words(column, VOCABULARY))
    kind, strength, end, start = _longest(found)
    if not kind:
        return NameSays(harmless=_about_something(found))
    before, after = found[:start], found[end:]
    if _turned(kind, before, after):
        return NameSays(kind=kind, harmless=True)
    if kind in {"geo", "address", "postal_code"} and before and before[-1] in THINGS:
        return NameSays(kind=kind, harmless=True)
    if kind == "name" and _names_thing(before, strength, table):
        return NameSays(kind=kind, harmless=True)
    if found in _FULL_NAMES and is_things_table(table):
        strength = Strength.WEAK
    if strength is Strength.WEAK and kind == "name" and found[-1] in _NAMES:
        strength = Strength.STRONG if is_people_table(table) else strength
    return NameSays(kind=kind, strength=strength, body=not BODY.isdisjoint(found))


def _spelled_out(found: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        SHORTHAND.get(word, word) if n or word not in HEADS else word
        for n, word in enumerate(found)
    )


def _longest(found: tuple[str, ...]) -> tuple[str, Strength, int, int]:
    best: tuple[Strength, int, int] = (Strength.NOTHING, 0, 0)
    kind, start = "", 0
    for first in range(len(found)):
        for length in range(1, min(_LONGEST, len(found) - first) + 1):
            says = _BY_PHRASE.get(found[first : first + length])
            if says and (says[1], length, first) >= best:
                best, (kind, _), start = (says[1], length, first), says, first
    return kind, best[0], start + best[1], start


def _turned(kind: str, before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Whether the words around make it something about the thing: `email_sent_count`."""
    if before and (before[0] in HEADS or before[-1] in NOT_PERSONAL_AFTER.get(kind, ())):
        return True
    tail = [word for word in after if word not in {"number", "no", "nr", "text", "value", "raw"}]
    if kind in {"national_id", "tax_id"} and set(tail) <= {"last", "four", "digits", "last4"}:
        return False
    if not tail:
        return False
    if kind in {"national_id", "passport", "email", "device_id"} and tail == ["id"]:
        return False
    if (
        kind in {"health", "sensitive", "income", "device_id", "credit_card", "credential"}
        and "name" in tail
    ):
        return True
    if kind == "credential" and tail[-1] in {"hash", "encrypted", "hashed"}:
        return False
    return any(word in TAILS or word in THINGS for word in tail)


def _names_thing(before: tuple[str, ...], strength: Strength, table: str) -> bool:
    if strength is Strength.STRONG:
        return False
    if before:
        return before[-1] not in PEOPLE
    return is_things_table(table)


def _about_something(found: tuple[str, ...]) -> bool:
    if len(found) == 1 and found[0] in {"field", "column", "value"}:
        return False
    if len(found) > 1 and found[-1] in NUMBERS and found[-2] in OF_DOCUMENTS:
        return True
    return bool(found) and (found[-1] in TAILS or found[0] in HEADS or found[-1] in THINGS)
