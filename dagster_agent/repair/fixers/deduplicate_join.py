"""Join to one row per key."""

from __future__ import annotations

from dagster_agent.model import ProposedChange
from dagster_agent.repair.deduplication_edits import deduplicate_joined
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixer


@fixer(id="deduplicate-join")
def deduplicate_join(fault: Fault) -> ProposedChange | NoEdit:
    """Let a join that multiplies rows find one row per key on its right side.

    Adds one clause: in the CTE that is joined, or around the table that is. Every row of the left
    side stays, once.

    Not this fixer: joins whose right side carries amounts or counts (one row of several would
    be an arbitrary choice), right sides that are read elsewhere too, dialects without QUALIFY.
    """
    if fault.path.startswith("dbt_packages/"):
        return NoEdit(reason="the file belongs to an installed package")
    rule = fault.one_row_per_key
    if rule is None or fault.join_ordinal is None:
        return NoEdit(reason="no join with a key is known to be at fault")
    edit = deduplicate_joined(
        fault.text,
        compiled_code=fault.compiled_code,
        dialect=fault.dialect,
        ordinal=fault.join_ordinal,
        rule=rule,
        columns=fault.known,
    )
    if isinstance(edit, NoEdit):
        return edit
    model, key = fault.asset.rsplit(".", 1)[-1], ", ".join(rule.key)
    kept = f"the newest by {rule.newest_by}" if rule.newest_by else "any: they say the same here"
    return fault.mended(
        title=f"Join {model} to one row per {key}",
        rationale=(
            f"One clause in line {edit.line} of {fault.path}: `{edit.written}`. The join finds one "
            f"row per {key} ({kept}), so it multiplies none; nothing else changes."
        ),
        text=edit.text,
    )
