"""Say what is to become of NULL."""

from __future__ import annotations

from dagster_agent.model import ProposedChange
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import Fault, fixer
from dagster_agent.repair.null_safe_edits import GuardKind, NullGuard, guard_nulls

_SAYS = {
    GuardKind.OR_NULL: "rows whose {column} is NULL pass",
    GuardKind.LIST_WHERE: "NULL is left out of the list",
    GuardKind.LIST_AND: "NULL is left out of the list",
    GuardKind.ZERO: "a missing {column} counts as 0",
    GuardKind.EMPTY_TEXT: "a missing {column} is an empty text",
    GuardKind.EVERY_ROW: "every row is counted",
}


@fixer(id="null-safe-condition")
def null_safe_condition(fault: Fault) -> ProposedChange | NoEdit:
    """Guard conditions, lists, sums and counts against a NULL that was not thought of.

    `status <> 'x'` becomes `(status <> 'x' or status is null)`; a NOT IN list leaves NULL out; only
    the operands that are NULL somewhere get a `coalesce`; `count(x)` becomes `count(*)`.

    Not this fixer: expressions that a macro or a loop writes, and lists whose query ends in
    something that would have to come after.
    """
    if fault.path.startswith("dbt_packages/"):
        return NoEdit(reason="the file belongs to an installed package")
    guards = fault.null_guards
    if not guards:
        return NoEdit(reason="no literal edit leaves NULL out there")
    edit = guard_nulls(
        fault.text, compiled_code=fault.compiled_code, dialect=fault.dialect, guards=guards
    )
    if isinstance(edit, NoEdit):
        return edit
    model = fault.asset.rsplit(".", 1)[-1]
    said = "; ".join(dict.fromkeys(_said(guard) for guard in guards))
    return fault.mended(
        title=f"Say what NULL in {_columns(guards)} means in {model}",
        rationale=f"Line {edit.line} of {fault.path}: `{edit.written}`. {said[0].upper()}"
        f"{said[1:]}; nothing else changes.",
        text=edit.text,
    )


def _said(guard: NullGuard) -> str:
    return _SAYS[guard.kind].format(column=guard.column)


def _columns(guards: tuple[NullGuard, ...]) -> str:
    return " and ".join(dict.fromkeys(guard.column for guard in guards))
