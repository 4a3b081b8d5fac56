"""Which edits a specialist may propose: small ones, in the code of the models in scope.

A model's text may come from an attacker by way of data, logs or commits, and what it proposes is
run in a sandbox before a person sees it. So an edit reaches nothing that a correct repair would not
need: no macros, hooks, configuration, packages or settings of ours; see `sql_edits`, `yml_edits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.specialists.envelope import visible
from dagster_agent.investigation.specialists.project_files import readable_path, yml_files_of
from dagster_agent.investigation.specialists.sql_edits import sql_trouble
from dagster_agent.investigation.specialists.tool import ToolError
from dagster_agent.investigation.specialists.yml_edits import described_models, yml_trouble
from dagster_agent.model import FileEdit

MAX_FILES = 4
MAX_NEW_CHARACTERS = 12_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEdit:
    """One replacement."""

    path: str
    """File relative to the dbt project, as the model gave it."""
    old: str
    """Text that stands exactly once in the file."""
    new: str
    """What takes its place."""


def changed_files(
    edits: Sequence[TextEdit], *, codebase: Codebase, scope: Sequence[str]
) -> tuple[FileEdit, ...]:
    """The files before and after, in path order.

    Raises:
        ToolError: An edit is not allowed, or does not fit the file; says which and why.
    """
    if sum(len(edit.new) for edit in edits) > MAX_NEW_CHARACTERS:
        raise ToolError("the edits are too long", hint="make the smallest change that mends it")
    allowed = editable_files(codebase, scope)
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for edit in edits:
        path = readable_path(edit.path)
        if path not in allowed:
            raise ToolError(
                f"{path!r} may not be edited",
                hint=f"these may: {', '.join(sorted(allowed)[:20]) or 'none'}",
            )
        if path not in before:
            before[path] = after[path] = allowed[path]
        after[path] = _replaced(edit, after[path])
    if len(after) > MAX_FILES:
        raise ToolError(f"{len(after)} files are too many", hint=f"change at most {MAX_FILES}")
    for path, text in after.items():
        _check(path, before[path], text, codebase, scope)
    return tuple(FileEdit(path=p, before=before[p], after=after[p]) for p in sorted(after))


def editable_files(codebase: Codebase, scope: Sequence[str]) -> dict[str, str]:
    """Texts of the files that may be edited, by path: of models in scope, and their yml."""
    found: dict[str, str] = {}
    for uid in scope:
        asset = codebase.manifest.assets.get(uid)
        if asset is None or asset.resource_type != "model" or not asset.path.endswith(".sql"):
            continue
        if asset.path.startswith("dbt_packages/") or (codebase.root / asset.path).is_symlink():
            continue
        text = codebase.text(asset.path)
        if text is not None:
            found[asset.path] = text
            found.update(yml_files_of(codebase.root, asset.path, asset.name))
    return found


def models_of(
    edits: Sequence[FileEdit], *, codebase: Codebase, scope: Sequence[str]
) -> tuple[str, ...]:
    """dbt unique ids of the models in scope that the files belong to, in the order of the scope."""
    paths = {edit.path for edit in edits}
    names = {
        name
        for edit in edits
        if not edit.path.endswith(".sql")
        for name in described_models(edit.before or "", edit.after)
    }
    models = (codebase.manifest.assets[uid] for uid in scope if uid.startswith("model."))
    return tuple(m.unique_id for m in models if m.path in paths or m.name in names)


def _replaced(edit: TextEdit, text: str) -> str:
    count = text.count(edit.old)
    if count != 1:
        raise ToolError(
            f"the old text stands {count} times in {edit.path}: {edit.old[:80]!r}",
            hint="copy a longer piece, exactly as read_model shows it under `file`",
        )
    if visible(edit.new) != edit.new.replace("\r\n", "\n"):
        raise ToolError("the new text holds invisible signs", hint="write plain text")
    return text.replace(edit.old, edit.new)


def _check(path: str, before: str, after: str, codebase: Codebase, scope: Sequence[str]) -> None:
    if before == after:
        raise ToolError(f"nothing changes in {path}", hint="leave the edit out")
    manifest: Manifest = codebase.manifest
    if path.endswith(".sql"):
        trouble = sql_trouble(before, after, manifest=manifest, dialect=codebase.dialect)
    else:
        names = {manifest.assets[uid].name for uid in scope if uid.startswith("model.")}
        trouble = yml_trouble(before, after, models=names)
    if trouble:
        raise ToolError(f"the edit of {path} is not allowed: {trouble}", hint="change less")
