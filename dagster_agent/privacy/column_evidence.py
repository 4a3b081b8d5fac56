"""What a column's type and sample values show, before anybody asks about its name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from dagster_agent.privacy.name_words import lexicon
from dagster_agent.privacy.person_names import (
    looks_like_full_name,
    share_of_companies,
    share_of_names,
)
from dagster_agent.privacy.value_kinds import fits_kind, is_gender, kind_of

_MOST = 1000
"""Distinct values that are looked at."""
_LONGEST = 4000
"""Signs of a value that are looked at."""
_BOOLEAN = re.compile(r"(?i)bool(?:ean)?|bit(?:\(1\))?")
_NUMBER = re.compile(
    r"(?i)u?(?:tiny|small|medium|big|huge)?int(?:eger|\d+)?\b|byteint|dec(?:imal)?\b|numeric|number"
    r"|bignumeric|float|double|real|money|long\b|short\b"
)
_MOMENT = re.compile(r"(?i)date|time")
_WORDS_OF_BOOLEANS = frozenset({"true", "false", "yes", "no", "y", "n", "t", "f", "0", "1"})
_NUMBERS_CAN_BE = lexicon("""
    bank_account credential credit_card date_of_birth device_id gender geo income
    license_plate national_id passport phone postal_code tax_id
""")
"""Kinds that warehouses also store as numbers."""
_UNMISTAKABLE = lexicon("credential email free_text iban")
_MOMENTS_CAN_BE = frozenset({"date_of_birth"})
_LEAST_DIGITS = {
    "phone": 6,
    "credit_card": 12,
    "national_id": 6,
    "tax_id": 6,
    "bank_account": 5,
    "postal_code": 3,
    "device_id": 6,
    "credential": 3,
    "passport": 5,
    "license_plate": 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnValues:
    """Distinct sample values in numbers."""

    count: int
    """Distinct values that are neither NULL nor empty."""
    texts: tuple[str, ...]
    """The values as text."""
    boolean: bool
    """True and false, by type or by values."""
    numeric: bool
    """Numbers."""
    moment: bool
    """Dates or times."""
    form: tuple[str, float]
    """The most frequent form of `value_kinds.kind_of` and its share; empty when there is none."""

    @property
    def names(self) -> float:
        """Share that looks like names of people."""
        return share_of_names(self.texts)

    @property
    def full_names(self) -> float:
        """Share that looks like given name and surname; 0 for fewer than four values."""
        if self.count < 4 or self.companies > 0.2:
            return 0.0
        full = [text for text in self.texts if looks_like_full_name(text)]
        known = share_of_names(full)
        return len(full) / self.count if known >= 0.25 else known * len(full) / self.count

    @property
    def companies(self) -> float:
        """Share that carries a legal form."""
        return share_of_companies(self.texts)

    @property
    def genders(self) -> bool:
        """They are genders or salutations."""
        return is_gender(list(self.texts))

    @property
    def words(self) -> float:
        """Words of a value on average."""
        return sum(len(t.split()) for t in self.texts) / max(1, len(self.texts))

    @property
    def shortest(self) -> int:
        """Signs of the shortest value."""
        return min(map(len, self.texts), default=0)

    @property
    def versions(self) -> bool:
        """They look like versions rather than addresses: small numbers only."""
        parts = [re.split(r"\D+", text) for text in self.texts]
        small = sum(all(p and int(p) < 30 for p in each[:2]) for each in parts)
        return bool(parts) and small / len(parts) > 0.5

    def loosely(self, kind: str) -> float:
        """Share that could be of that kind; 0 without values."""
        if not self.texts:
            return 0.0
        return sum(fits_kind(kind, text) for text in self.texts) / len(self.texts)

    @property
    def scattered(self) -> str:
        """The kind whose unmistakable form at least a quarter of the values have, or prose that
        gives people away; empty for none."""
        found = Counter(kind for kind in map(kind_of, self.texts) if kind in _UNMISTAKABLE)
        if self.numeric or self.moment or not found:
            return ""
        kind, number = found.most_common(1)[0]
        least = 0.1 if kind == "free_text" else 0.25
        return kind if number >= 2 and number / self.count >= least else ""

    def contradicts(self, kind: str, *, body: bool = False) -> bool:
        """Whether type or values speak against the kind that the name says.

        Args:
            kind: As in `PersonalData.kind`.
            body: The name is of a measure of the body, which may be a number.
        """
        if self.boolean:
            return not (kind in {"health", "sensitive"} or (kind == "gender" and self.genders))
        if self.moment:
            return kind not in _MOMENTS_CAN_BE
        if self.numeric:
            return (kind not in _NUMBERS_CAN_BE and not body) or self._too_short(kind)
        return self.count >= 2 and self.loosely(kind) < 0.3

    def _too_short(self, kind: str) -> bool:
        least = _LEAST_DIGITS.get(kind, 0)
        lengths = sorted(sum(sign.isdigit() for sign in text) for text in self.texts)
        if kind == "income":
            return bool(lengths) and lengths[len(lengths) // 2] < 3
        return bool(lengths) and lengths[len(lengths) // 2] < least


def read_values(type_: str, values: Sequence[object]) -> ColumnValues:
    """Look at a column's values.

    Args:
        type_: In the warehouse's words; empty when unknown, then the values tell.
        values: Any sample; NULLs and repetitions are dropped.
    """
    kept = [v for v in values if v is not None and v != ""]
    texts = tuple(dict.fromkeys(_text(v) for v in kept))[:_MOST]
    boolean = _is(type_, _BOOLEAN, kept, bool) or (
        bool(texts) and {t.lower() for t in texts} <= _WORDS_OF_BOOLEANS and len(texts) <= 2
    )
    numeric = not boolean and _is(type_, _NUMBER, kept, (int, float, Decimal))
    moment = not boolean and _is(type_, _MOMENT, kept, (date, datetime, time))
    return ColumnValues(
        count=len(texts),
        texts=texts,
        boolean=boolean,
        numeric=numeric,
        moment=moment,
        form=("", 0.0) if boolean or moment else _form(texts),
    )


def _is(
    type_: str,
    pattern: re.Pattern[str],
    values: list[object],
    classes: type | tuple[type, ...],
) -> bool:
    if type_.strip():
        return pattern.match(type_.strip()) is not None
    return bool(values) and all(isinstance(value, classes) for value in values)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)[:_LONGEST].strip()


def _form(texts: Sequence[str]) -> tuple[str, float]:
    found = Counter(kind for kind in map(kind_of, texts) if kind)
    if not found:
        return "", 0.0
    kind, number = found.most_common(1)[0]
    return kind, number / len(texts)
