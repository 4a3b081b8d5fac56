"""A private copy of a dbt project, and the profile that lets dbt build elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from dagster_agent.dbt.project import DbtProject
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.git.edit import edited
from dagster_agent.model import FileEdit

_LEFT_OUT_AT_ROOT = frozenset(
    {"target", "logs", ".git", ".venv", "venv", "node_modules", ".dagster", ".idea", ".vscode"}
)
_LEFT_OUT = frozenset({"__pycache__", ".git", ".DS_Store"})
_PATH_SETTINGS = (
    *("model-paths", "seed-paths", "snapshot-paths"),
    *("macro-paths", "test-paths", "analysis-paths"),
)


def copy_project(project: DbtProject, to: Path, *, private: Path) -> None:
    """Copy the project's files, without artifacts, logs, history and database files.

    Args:
        project: What to copy.
        to: Folder to create.
        private: The agent's own folder, which may lie inside the project and is left out.

    Raises:
        ConfigError: The project has code outside its folder.
        ConnectorError: A file cannot be read.
    """
    for setting in _PATH_SETTINGS:
        for folder in project.folders(setting):
            if not _is_inside(folder, project.root):
                raise ConfigError(
                    f"{setting} names {folder}, which lies outside the dbt project",
                    hint="a change can be tried only when all code lies in the project's folder",
                )
    try:
        shutil.copytree(
            project.root, to, symlinks=True, ignore=_left_out(project, private.resolve())
        )
    except (OSError, shutil.Error) as error:
        raise ConnectorError(
            f"the dbt project {project.root} cannot be copied: {error}",
            hint="check the permissions of its files and the free space",
        ) from error
    _mend_links(project.root, to)


def _left_out(project: DbtProject, private: Path) -> Callable[[str, list[str]], set[str]]:
    root = project.root
    at_root = _LEFT_OUT_AT_ROOT | {str(project.config.get("target-path") or "target")}
    databases = tuple(Path(path).resolve() for path in _database_files(project.output))

    def ignore(folder: str, names: list[str]) -> set[str]:
        ignored = set(names) & (at_root if Path(folder) == root else _LEFT_OUT)
        for name in names:
            path = Path(folder, name).resolve()
            if private.is_relative_to(path) or any(_belongs(path, d) for d in databases):
                ignored.add(name)
        return ignored

    return ignore


def _belongs(path: Path, database: Path) -> bool:
    """It is the database file or one of those beside it, such as its write-ahead log."""
    return path == database or (
        path.parent == database.parent and path.name.startswith(f"{database.name}.")
    )


def _database_files(output: Mapping[str, Any]) -> list[str]:
    attached = cast("list[dict[str, Any]]", output.get("attach") or [])
    paths = [output.get("path"), *(entry.get("path") for entry in attached)]
    return [path for path in paths if isinstance(path, str) and Path(path).is_absolute()]


def _mend_links(root: Path, copy: Path) -> None:
    """Relative links that leave the project lead to where they led before."""
    for folder, below, names in os.walk(copy):
        for name in (*below, *names):
            link = Path(folder, name)
            if not link.is_symlink() or link.readlink().is_absolute():
                continue
            original = root / link.relative_to(copy)
            if not _is_inside(original, root):
                target = original.resolve()
                link.unlink()
                link.symlink_to(target)


def _is_inside(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def write_profile(project: DbtProject, folder: Path, overlay: Mapping[str, Any]) -> None:
    """Write a `profiles.yml`: same profile and target names, its output overlaid.

    It holds the target's secrets as they were rendered, so only this user may read it.
    """
    folder.mkdir(mode=0o700)
    output = _literal({**project.output, **overlay})
    profile = {"target": project.target_name, "outputs": {project.target_name: output}}
    path = folder / "profiles.yml"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump({project.profile_name: profile}, allow_unicode=True))


def _literal(value: Any) -> Any:
    """The value such that dbt's Jinja leaves it as it is."""
    if isinstance(value, Mapping):
        return {k: _literal(v) for k, v in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_literal(v) for v in cast("list[Any]", value)]
    if isinstance(value, str) and any(mark in value for mark in ("{{", "{%", "{#")):
        return "{% raw %}" + value + "{% endraw %}"
    return value


def apply_edit(edit: FileEdit, root: Path) -> bytes | None:
    """Write one edit; what was there before.

    Raises:
        ConfigError: The path leaves the project.
        ConnectorError: The file is not as in `edit.before`.
    """
    path = root / edit.path
    if not _is_inside(path, root) or path.is_symlink():
        raise ConfigError(
            f"the path {edit.path!r} leaves the dbt project", hint="give it relative to the project"
        )
    found = path.read_bytes() if path.is_file() else None
    after = edited(edit, found, path=edit.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(after)
    return found
