"""Values of records as JSON holds them without loss, and what their fields have been so far."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

_BIGGEST = 2**63 - 1
_LONGEST = 1_000
"""Most digits that a number is written out with; beyond, it keeps its exponent."""
_UPPER = str.maketrans({letter: letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})
"""As DuckDB folds names: only these letters."""


class RecordFields:
    """The fields of the records of one source, told from one record after the other."""

    def __init__(self) -> None:
        self._names: dict[str, object] = {}
        self._written: dict[object, str] = {}
        self._clocks: dict[str, str] = {}

    @property
    def any(self) -> bool:
        """Whether a record had a field."""
        return bool(self._names)

    def line(self, record: Mapping[str, Any]) -> str:
        """One record as JSON.

        Raises:
            ValueError: Names the field and what is wrong with its value or its name.
        """
        plain: dict[str, object] = {}
        for field, value in record.items():
            name = self._written.get(field) or self._named(field)
            if value is not None:
                plain[name] = self._plain(name, value)
            else:
                plain[name] = None
        return json.dumps(plain, allow_nan=False)

    def _named(self, field: object) -> str:
        """The field's column; two fields of one column are refused, as DuckDB renames one."""
        name = str(field)
        if not name:
            raise ValueError("a field has no name")
        before = self._names.setdefault(name.translate(_UPPER), field)
        if before != field:
            raise ValueError(
                f"its field {field!r} and the field {before!r} would be the same column:"
                " letter case does not tell columns apart; rename one"
            )
        self._written[field] = name
        return name

    def _plain(self, name: str, value: object) -> object:
        if isinstance(value, str | bool):
            return value
        if isinstance(value, datetime | date | time):
            return self._moment(name, value)
        if _is_no_number(value):
            raise ValueError(f"its {name} is {value}, which is no number; yield None for no value")
        if isinstance(value, Decimal):
            return _number(value)
        if isinstance(value, int):
            return str(value) if abs(value) > _BIGGEST else value
        if isinstance(value, UUID):
            return str(value)
        if isinstance(value, dict | list | tuple):
            return json.dumps(value, default=str, sort_keys=True)
        if isinstance(value, float):
            return value
        raise ValueError(f"its {name} is of {type(value).__name__}, which JSON has not")

    def _moment(self, name: str, value: datetime | date | time) -> str:
        if str(value) == "NaT":
            raise ValueError(f"its {name} is NaT, which is no time; yield None for no value")
        kind = _kind(value)
        before = self._clocks.setdefault(name, kind)
        if before != kind:
            raise ValueError(
                f"its {name} is a {kind} and was a {before} before: which moment is meant is"
                " not known; give all of them a time zone, or none"
                if "zone" in before + kind
                else f"its {name} is a {kind} and was a {before} before; yield one of the two"
            )
        if isinstance(value, datetime) and value.tzinfo is None:
            return value.isoformat(" ", "microseconds")  # with a `T` DuckDB takes it for text
        return value.isoformat()


def _kind(value: datetime | date | time) -> str:
    if isinstance(value, datetime | time):
        zone = "without" if value.tzinfo is None else "with"
        return f"{type(value).__name__} {zone} time zone"
    return "date"


def _is_no_number(value: object) -> bool:
    if isinstance(value, Decimal):
        return not value.is_finite()
    return isinstance(value, float) and not math.isfinite(value)


def _number(value: Decimal) -> object:
    """A number where JSON's readers keep it, else its digits: one way of writing for each value."""
    if abs(value.adjusted()) > _LONGEST:
        return str(value)
    digits = f"{value:f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    if "." not in digits:
        whole = int(digits)
        return whole if abs(whole) <= _BIGGEST else str(whole)
    short = float(value)
    return short if Decimal(repr(short)) == value else digits
