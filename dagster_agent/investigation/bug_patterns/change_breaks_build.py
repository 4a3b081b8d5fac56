"""A change of the model's own file broke it: what stood there before was fine."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from dagster_agent.git.repository import Commit
from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import (
    Asset,
    Evidence,
    Failure,
    FileEdit,
    Hypothesis,
    ProposedChange,
    Recheck,
)

_PRIOR = 0.62
"""The model cannot be built, and its file was changed lately."""
_AT_THE_CHANGE = 0.12
"""The change brought in the very column, table or line that the error names."""
_CODE_FAILURES = frozenset(
    {"missing_column", "missing_relation", "sql_syntax", "compile_error", "type_error"}
)
"""Classes of failure that a change of code can cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken:
    """A model that cannot be built, and the word that the error names."""

    asset: Asset
    named: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """The newest change of a file: of a commit, or not committed yet."""

    before: str
    after: str
    commit: Commit | None


@bug_pattern(id="change-breaks-build")
def change_breaks_build(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """The newest change of the model's own file made it fail; taken back, it builds.

    Seen as: the model cannot be built (a column, table or ref that is not there, or SQL that does
    not parse), nothing upstream has changed, and its file was changed by the newest commit or is
    changed on disk. Only the lines that bring in what the error names are taken back, where they
    can be told; otherwise the whole change.
    Not this pattern: a column that was renamed or dropped upstream.
    Refuted if: with the lines as they were before the model still cannot be built.
    """
    for broken in _broken(dossier, codebase):
        change = _newest_change(codebase, broken.asset.path)
        if change is not None:
            yield _hypothesis(broken, change)


def _broken(dossier: Dossier, codebase: Codebase) -> list[_Broken]:
    found: dict[str, _Broken] = {}
    for failure in dossier.failures:
        asset = _failed_model(failure, dossier, codebase)
        if asset is not None and failure.failure_class in _CODE_FAILURES:
            facts = failure.facts
            named = facts.column or facts.relation or ""
            found[asset.unique_id] = _Broken(asset=asset, named=named, said=failure.excerpt)
    for read in dossier.broken_reads:
        asset = codebase.manifest.asset(read.asset)
        upstream = codebase.manifest.asset(read.upstream).name
        said = f"{asset.name} reads {read.column} of {upstream}, which has no such column"
        found.setdefault(read.asset, _Broken(asset=asset, named=read.column, said=said))
    return list(found.values())


def _failed_model(failure: Failure, dossier: Dossier, codebase: Codebase) -> Asset | None:
    names = {failure.facts.model, failure.facts.path}
    for asset in codebase.manifest.assets.values():
        if asset.resource_type == "model" and {asset.name, asset.path} & names:
            return asset
    focus = codebase.manifest.assets.get(dossier.focus or "")
    return focus if focus is not None and focus.resource_type == "model" else None


def _newest_change(codebase: Codebase, path: str) -> _Change | None:
    now = codebase.text(path)
    if now is None:
        return None
    for commit, after, before in codebase.versions(path):
        if after is not None and after != now:
            return _Change(before=after, after=now, commit=None)
        if before is not None and after is not None:
            return _Change(before=before, after=after, commit=commit)
        return None
    return None


def _hypothesis(broken: _Broken, change: _Change) -> Hypothesis:
    text, line = _taken_back(change, broken.named)
    blamed = bool(broken.named) and broken.named.casefold() in _added(change).casefold()
    commit = change.commit
    who = (
        f"Commit {commit.sha[:7]} ({commit.at:%Y-%m-%d %H:%M} UTC, {commit.author})"
        if commit
        else "A change that is not committed yet"
    )
    evidence = [Evidence(kind="run", statement=broken.said)]
    if commit is not None:
        told = f"{commit.sha[:7]} of {commit.at:%Y-%m-%d %H:%M} UTC: {commit.subject}"
        evidence.append(Evidence(kind="timeline", statement=told, source=commit.sha))
    name = f" `{broken.named}`" if blamed else ""
    return Hypothesis(
        pattern="change-breaks-build",
        asset=broken.asset.unique_id,
        mechanism=f"{who} brought{name or ' what fails'} into {broken.asset.path}: {broken.said}",
        refuted_by="the model cannot be built with the lines as they were before either",
        confidence=_PRIOR + (_AT_THE_CHANGE if blamed else 0.0),
        evidence=tuple(evidence),
        files=(broken.asset.path,),
        line=line,
        commit=commit.sha if commit else None,
        change=ProposedChange(
            title=f"Take back what broke {broken.asset.name}",
            rationale=f"{who} changed these lines, and the model was fine before.",
            edits=(FileEdit(path=broken.asset.path, before=change.after, after=text),),
            assets=(broken.asset.unique_id,),
        ),
        recheck=Recheck.BUILD,
    )


def _taken_back(change: _Change, named: str) -> tuple[str, int]:
    """The text without the blamed blocks of lines (or without any), and the first line of them."""
    old, new = change.before.splitlines(keepends=True), change.after.splitlines(keepends=True)
    blocks = difflib.SequenceMatcher(None, new, old, autojunk=False).get_opcodes()
    changed = [block for block in blocks if block[0] != "equal"]
    wanted = named.casefold()
    blamed = [b for b in changed if named and wanted in "".join(new[b[1] : b[2]]).casefold()]
    back = blamed or changed
    text = "".join(
        "".join(old[block[3] : block[4]] if block in back else new[block[1] : block[2]])
        for block in blocks
    )
    return text, back[0][1] + 1 if back else 1


def _added(change: _Change) -> str:
    """The lines that the change brought in."""
    old, new = change.before.splitlines(), change.after.splitlines()
    return "\n".join(line[2:] for line in difflib.ndiff(old, new) if line.startswith("+ "))
