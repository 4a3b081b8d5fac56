"""Values out of small result tables, before anybody outside the warehouse sees them.

The policy, column by column, first rule that fits:

1. NULL and the empty text pass: that a value is missing is what most findings are about.
2. A column listed as `personal` is masked.
3. A column listed as `harmless` passes; its texts are still cleaned of secrets.
4. Numbers, dates, times and booleans pass, unless the column's name says that they are about a
   person (`privacy.personal`).
5. Text passes in columns whose name says that it is a code with few values (`status`, `currency`,
   `country_code`), if it also looks like one: short, no `@`, no digits beyond two.
6. All other text and bytes become a mark that tells only whether it was short or long.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from dagster_agent.model import Cell, ResultTable
from dagster_agent.privacy.personal import is_personal, lexicon, words
from dagster_agent.privacy.redaction import redact

TEXT, LONG_TEXT, NUMBER, MOMENT, BYTES = "‹text›", "‹long text›", "‹number›", "‹date›", "‹bytes›"
"""What masked values become."""
_LONG = 64
_CODE_LENGTH = 24
_CODE_DIGITS = 2
_CODES = lexicon("""
    carrier category channel class country currency environment grade kind language locale method
    mode month outcome priority quarter reason region result severity source stage state status tier
    timezone type tz unit weekday
""")
"""Last words of names of columns that hold codes; a final `code` or `name` is looked through."""


def mask_table(
    table: ResultTable,
    *,
    harmless: Collection[str] = (),
    personal: Collection[str] = (),
    secrets: Sequence[str] = (),
) -> ResultTable:
    """The table as it may leave; see the policy above. Masking twice changes nothing more.

    Args:
        table: A small result.
        harmless: Columns whose values may be shown, letter case ignored.
        personal: Columns whose values may not, whatever their names say.
        secrets: Values known to be secret, for the texts that pass.
    """
    open_columns = {name.casefold() for name in harmless}
    shut_columns = {name.casefold() for name in personal}

    def shown(column: str, value: Cell) -> Cell:
        if value is None or value == "" or value in (TEXT, LONG_TEXT, NUMBER, MOMENT, BYTES):
            return value
        name = column.casefold()
        if name in shut_columns or not (name in open_columns or _passes(column, value)):
            return _mark(value)
        return redact(value, secrets=secrets) if isinstance(value, str) else value

    return ResultTable(
        columns=table.columns,
        rows=tuple(
            tuple(shown(c, v) for c, v in zip(table.columns, row, strict=True))
            for row in table.rows
        ),
        truncated=table.truncated,
    )


def _passes(column: str, value: Cell) -> bool:
    if isinstance(value, bytes):
        return False
    if not isinstance(value, str):
        return not is_personal(column, number=isinstance(value, bool | int | float | Decimal))
    return not is_personal(column) and _names_code(column) and _looks_code(value)


def _names_code(column: str) -> bool:
    parts = [word for word in words(column) if word not in {"code", "cd", "name"}]
    return bool(parts) and parts[-1] in _CODES


def _looks_code(value: str) -> bool:
    digits = sum(sign.isdigit() for sign in value)
    return len(value) <= _CODE_LENGTH and "@" not in value and digits <= _CODE_DIGITS


def _mark(value: Cell) -> str:
    if isinstance(value, str):
        return TEXT if len(value) <= _LONG else LONG_TEXT
    if isinstance(value, bytes):
        return BYTES
    return MOMENT if isinstance(value, date | datetime | time | timedelta) else NUMBER
