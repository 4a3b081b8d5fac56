"""Values out of small result tables, before anybody outside the warehouse sees them.

The policy, column by column, first rule that fits:

1. NULL and the empty text pass: that a value is missing is what most findings are about.
2. A column listed as `personal` is masked.
3. A column listed as `harmless` passes; its texts are still cleaned of secrets.
4. A column that `privacy.personal` judges to be personal, by its name or by the values at hand, is
   masked, and so is a single value whose form gives it away.
5. Numbers, dates, times and booleans pass, unless the column's name says that they are about a
   person.
6. Text passes in columns whose name says that it is a code with few values (`status`, `currency`,
   `country_code`), if it also looks like one: short, no `@`, no digits beyond two; and in columns
   whose name says that it only tells things apart (`order_id`, `sku`, `invoice_number`), if it is
   one word with a digit in it.
7. All other text and bytes become a mark that tells only whether it was short or long.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from dagster_agent.model import Cell, ResultTable
from dagster_agent.privacy.person_names import share_of_names
from dagster_agent.privacy.personal import is_personal, judge_column, lexicon, words
from dagster_agent.privacy.redaction import redact
from dagster_agent.privacy.value_kinds import kind_of

TEXT, LONG_TEXT, NUMBER, MOMENT, BYTES = "‹text›", "‹long text›", "‹number›", "‹date›", "‹bytes›"
"""What masked values become."""
_MARKS = frozenset({TEXT, LONG_TEXT, NUMBER, MOMENT, BYTES})
_LONG = 64
_CODE_LENGTH = 24
_CODE_DIGITS = 2
_CODES = lexicon("""
    carrier category channel class country currency device edition environment feature grade kind
    language locale method mode month outcome phase plan platform priority quarter reason region
    result segment severity source stage state status tier timezone type tz unit variant weekday
""")
"""Last words of names of columns that hold codes; a final `code` or `name` is looked through."""
_IDS = lexicon("guid id ids nr number no ref reference sha sku uuid")
"""Last words of names of columns that tell rows apart."""
_ID = re.compile(r"(?=[^\W_]*[\w.:-]*\d)[\w.:-]{1,64}")


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
    shut: list[bool] = []
    opened: list[bool] = []
    for index, column in enumerate(table.columns):
        name = column.casefold()
        opened.append(name in open_columns and name not in shut_columns)
        found = [row[index] for row in table.rows if row[index] not in _MARKS]
        about_people = not opened[-1] and judge_column("", column, "", found).pii
        shut.append(name in shut_columns or about_people)

    def shown(index: int, value: Cell) -> Cell:
        if value is None or value == "" or value in _MARKS:
            return value
        if shut[index] or not (opened[index] or _passes(table.columns[index], value)):
            return _mark(value)
        return redact(value, secrets=secrets) if isinstance(value, str) else value

    rows = (tuple(shown(i, v) for i, v in enumerate(row)) for row in table.rows)
    return ResultTable(columns=table.columns, rows=tuple(rows), truncated=table.truncated)


def _passes(column: str, value: Cell) -> bool:
    if isinstance(value, bytes):
        return False
    if not isinstance(value, str):
        return not is_personal(column, number=isinstance(value, bool | int | float | Decimal))
    if is_personal(column) or kind_of(value) or (" " in value and share_of_names([value])):
        return False
    if _names_id(column) and _ID.fullmatch(value):
        return True
    return _names_code(column) and _looks_code(value)


def _names_id(column: str) -> bool:
    parts = words(column)
    return bool(parts) and parts[-1] in _IDS


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
