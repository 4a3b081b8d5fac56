"""A number that every store computes alike from the same values."""

from __future__ import annotations

from collections.abc import Sequence

from dagster_agent.reconciliation.row_comparison.columns import ComparedColumn
from dagster_agent.reconciliation.row_comparison.value_forms import joined, text_form


def portable_hash(columns: Sequence[ComparedColumn], *, ours: bool, dialect: str) -> str:
    """SQL for 60 bits of the MD5 of the columns' texts.

    Args:
        columns: Not native ones (see `compared_columns`).
        ours: Which side's SQL.
        dialect: One of `value_forms.DIALECTS`.
    """
    return hash_number(joined(portable_texts(columns, ours=ours, dialect=dialect)), dialect)


def portable_texts(columns: Sequence[ComparedColumn], *, ours: bool, dialect: str) -> list[str]:
    """SQL for the text of each column; never NULL."""
    return [
        text_form(c.ours if ours else c.theirs, c.kind, dialect, is_text=c.text) for c in columns
    ]


def hash_number(text: str, dialect: str) -> str:
    """SQL for 60 bits of the MD5 of a text, as an integer."""
    digits = f"substr(md5({text}), 1, 15)"
    return {
        "duckdb": f"cast(('0x' || {digits}) as bigint)",
        "snowflake": f"to_number({digits}, 'XXXXXXXXXXXXXXX')",
        "bigquery": f"cast(concat('0x', substr(to_hex(md5({text})), 1, 15)) as int64)",
    }.get(dialect, f"cast(cast(('x' || {digits}) as bit(60)) as bigint)")
