"""Keep the newest row per key where a model reads a table."""

from __future__ import annotations

from dagster_agent.model import ProposedChange
from dagster_agent.repair.deduplication_edits import keep_newest
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixer


@fixer(id="deduplicate-source")
def deduplicate_source(fault: Fault) -> ProposedChange | NoEdit:
    """Keep one row per key in the model that copies a source: the one that was loaded last.

    Adds one clause to one SELECT. What the source delivered twice stays in the source; the model
    and everything after it sees it once.

    Not this fixer: models that aggregate, join or filter what they read, dialects without QUALIFY,
    and keys whose rows differ while nothing says which of them is the newest.
    """
    if fault.path.startswith("dbt_packages/"):
        return NoEdit(reason="the file belongs to an installed package")
    rule = fault.one_row_per_key
    if rule is None:
        return NoEdit(reason="no key is known")
    edit = keep_newest(
        fault.text,
        compiled_code=fault.compiled_code,
        dialect=fault.dialect,
        rule=rule,
        columns=fault.known,
    )
    if isinstance(edit, NoEdit):
        return edit
    model, key = fault.asset.rsplit(".", 1)[-1], ", ".join(rule.key)
    kept = f"the newest by {rule.newest_by}" if rule.newest_by else "they are identical"
    return fault.mended(
        title=f"Keep one row per {key} in {model}",
        rationale=(
            f"One clause in line {edit.line} of {fault.path}: `{edit.written}`. Of several rows "
            f"with one {key} a single one stays ({kept}); nothing else changes."
        ),
        text=edit.text,
    )
