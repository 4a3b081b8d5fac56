"""Restore a left join."""

from __future__ import annotations

from dagster_agent.model import ProposedChange
from dagster_agent.repair.edits import NoEdit, restore_left_join
from dagster_agent.repair.fixer import Fault, fixer


@fixer(id="left-join")
def left_join(fault: Fault) -> ProposedChange | NoEdit:
    """Turn an inner join that drops rows into a left join.

    Changes one word of the model's file. Rows without a match come back, with NULL in the columns
    of the joined table.

    Not this fixer: joins that a macro writes, and joins without a condition.
    """
    if fault.path.startswith("dbt_packages/"):
        return NoEdit(reason="the file belongs to an installed package")
    if fault.join_ordinal is None:
        return NoEdit(reason="no join is known to be at fault")
    edit = restore_left_join(
        fault.text,
        compiled_code=fault.compiled_code,
        dialect=fault.dialect,
        ordinal=fault.join_ordinal,
    )
    if isinstance(edit, NoEdit):
        return edit
    was = f"{edit.join.kind} join".strip()
    model = fault.asset.rsplit(".", 1)[-1]
    joined = edit.join.joined
    return fault.mended(
        title=f"Restore the left join to {_readable(joined)} in {model}",
        rationale=(
            f"One word in line {edit.join.line} of {fault.path}: `{was} {joined}` becomes "
            f"`left join {joined}`. Rows without a match are kept again; nothing else changes."
        ),
        text=edit.text,
    )


def _readable(joined: str) -> str:
    """`planes` for `{{ ref('planes') }}`, `"raw"."planes"` or `raw.planes`."""
    words = "".join(c if c.isalnum() or c in "_$" else " " for c in joined).split()
    return words[-1] if words else joined
