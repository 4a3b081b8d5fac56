"""Changes of how models read columns: each reader mended in its own file, all in one change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dagster_agent.investigation.accounts.broken_reads import Columns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Asset, FileEdit, ProposedChange, Relation
from dagster_agent.repair.edits import NoEdit
from dagster_agent.repair.fixer import ColumnFault, Fault, fixers


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadersChange:
    """What can be changed, and what cannot."""

    change: ProposedChange | None
    """None where no reader can be mended."""
    files: tuple[str, ...]
    """Files of the readers, those that are changed first."""
    line: int | None
    """1-based line of the first change in the first file."""
    obstacles: tuple[str, ...]
    """Why a reader cannot be mended, with its name."""

    @property
    def told(self) -> str:
        """What stands in the way, as sentences behind the mechanism; empty for nothing."""
        if not self.obstacles:
            return ""
        start = "Not mended by the change" if self.change else "No change is proposed"
        return f". {start}: {'; '.join(self.obstacles)}"


Repairs = Mapping[str, Sequence[ColumnFault]]
"""Faults by the id of the fixer that mends them."""


def change_readers(
    reads: Mapping[str, Sequence[str]],
    repairs: Repairs,
    dossier: Dossier,
    codebase: Codebase,
    *,
    rebuilt: Sequence[str] = (),
) -> ReadersChange:
    """Mend every reader of the columns.

    Args:
        reads: The columns that each reader reads, by its dbt unique id.
        repairs: Which fixer mends which columns.
        dossier: For the schemas.
        codebase: Code.
        rebuilt: Assets that the change is tried together with, because their tables are older than
            their code.
    """
    columns = Columns(codebase.manifest, dossier.schemas, codebase.dialect)
    changes: list[ProposedChange] = []
    obstacles: list[str] = []
    unchanged: list[str] = []
    for uid, names in reads.items():
        asset = codebase.manifest.asset(uid)
        mended = _mended(asset, _of(repairs, names), codebase, columns)
        if isinstance(mended, NoEdit):
            obstacles.append(f"{asset.name}: {mended.reason}")
            unchanged.append(asset.path)
        else:
            changes.append(mended)
    edits = tuple(edit for change in changes for edit in change.edits)
    return ReadersChange(
        change=_merged(changes, edits, rebuilt) if changes else None,
        files=tuple(dict.fromkeys((*(e.path for e in edits), *unchanged))),
        line=_first_difference(edits[0]) if edits else None,
        obstacles=tuple(obstacles),
    )


def stale_tables(upstream: str, column: str, dossier: Dossier, codebase: Codebase) -> list[str]:
    """Models up from `upstream` whose tables still have a column that their code no longer has."""
    columns = Columns(codebase.manifest, dossier.schemas, codebase.dialect)
    found: list[str] = []
    for uid in (upstream, *codebase.manifest.upstream(upstream)):
        observed = dossier.schemas.get(uid)
        written = columns.of(uid)
        if observed is None or written is None or not uid.startswith("model."):
            continue
        gone = column.casefold() not in {name.casefold() for name in written}
        if gone and observed.column(column) is not None:
            found.append(uid)
    return found


def _of(repairs: Repairs, names: Sequence[str]) -> Repairs:
    """The repairs of some columns only."""
    wanted = {name.casefold() for name in names}
    found = {
        fixer: [fault for fault in faults if fault.column.casefold() in wanted]
        for fixer, faults in repairs.items()
    }
    return {fixer: faults for fixer, faults in found.items() if faults}


def _mended(
    asset: Asset, repairs: Repairs, codebase: Codebase, columns: Columns
) -> ProposedChange | NoEdit:
    text = codebase.text(asset.path)
    compiled = codebase.manifest.compiled_code(asset.unique_id)
    if text is None or not compiled:
        return NoEdit(reason=f"{asset.path} is no SQL file of the project")
    faults = [fault for group in repairs.values() for fault in group]
    fault = Fault(
        asset=asset.unique_id,
        path=asset.path,
        text=text,
        compiled_code=compiled,
        dialect=codebase.dialect,
        known=_known(asset, faults, columns),
    )
    changes: list[ProposedChange] = []
    for fixer, group in repairs.items():
        change = fixers().get(fixer).propose(replace(fault, columns=tuple(group)))
        if isinstance(change, NoEdit):
            return change
        changes.append(change)
        # the compiled SQL after the edit, to make the next one in
        plain = replace(fault, columns=tuple(group), text=fault.compiled_code)
        rendered = fixers().get(fixer).propose(plain)
        if isinstance(rendered, NoEdit):
            return rendered
        fault = replace(fault, text=change.edits[0].after, compiled_code=rendered.edits[0].after)
    edit = FileEdit(path=asset.path, before=text, after=fault.text)
    return replace(_merged(changes, (edit,), ()), assets=(asset.unique_id,))


def _known(
    asset: Asset, faults: Sequence[ColumnFault], columns: Columns
) -> dict[Relation, Sequence[str]]:
    """Columns of what it reads, as if nothing had gone."""
    known: dict[Relation, Sequence[str]] = {**columns.known_to(asset.unique_id)}
    for fault in faults:
        there = known.get(fault.relation, ())
        if fault.column.casefold() not in {name.casefold() for name in there}:
            known[fault.relation] = (*there, fault.column)
    return known


def _merged(
    changes: Sequence[ProposedChange], edits: tuple[FileEdit, ...], rebuilt: Sequence[str]
) -> ProposedChange:
    titles = list(dict.fromkeys(change.title for change in changes))
    assets = (*rebuilt, *(uid for change in changes for uid in change.assets))
    title = titles[0] if len(titles) == 1 else f"{titles[0]}, and {len(titles) - 1} more"
    return ProposedChange(
        title=title,
        rationale=" ".join(dict.fromkeys(change.rationale for change in changes)),
        edits=edits,
        assets=tuple(dict.fromkeys(assets)),
    )


def _first_difference(edit: FileEdit) -> int:
    """1-based number of the first line that differs."""
    pairs = zip((edit.before or "").splitlines(), edit.after.splitlines(), strict=False)
    return next((n for n, (old, new) in enumerate(pairs, 1) if old != new), 1)
