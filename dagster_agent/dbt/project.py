"""`DbtProject`: a dbt project's folder and the warehouse target it uses. Imports no dbt."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from dagster_agent.dbt import profiles
from dagster_agent.errors import ConfigError

PROJECT_FILE = "dbt_project.yml"

_ROOT_FILES = (
    PROJECT_FILE,
    "packages.yml",
    "dependencies.yml",
    "package-lock.yml",
    "selectors.yml",
)
_CODE_FOLDERS = {
    "model-paths": "models",
    "seed-paths": "seeds",
    "snapshot-paths": "snapshots",
    "macro-paths": "macros",
    "test-paths": "tests",
    "analysis-paths": "analyses",
    "function-paths": "functions",
}
_HASHED_WHOLE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtProject:
    """An opened project. What is read once at `open` stays; `digest` looks at the disk again."""

    root: Path
    """Absolute folder of `dbt_project.yml`."""
    name: str
    """Name in `dbt_project.yml`."""
    profiles_dir: Path
    """Absolute folder of the `profiles.yml` in use."""
    profile_name: str
    """Profile that the project names."""
    target_name: str
    """Target in use."""
    output: Mapping[str, Any] = field(repr=False)
    """The target's rendered output; holds secrets. Paths of DuckDB files are absolute."""
    config: Mapping[str, Any] = field(repr=False)
    """`dbt_project.yml` as written, not rendered."""

    @classmethod
    def open(
        cls, project_dir: Path, *, profiles_dir: Path | None = None, target: str | None = None
    ) -> DbtProject:
        """Read `dbt_project.yml` and the target's output in `profiles.yml`.

        Args:
            project_dir: Folder of `dbt_project.yml`.
            profiles_dir: Folder of `profiles.yml`; without it dbt's own order of places is tried.
            target: Target of the profile; without it dbt's default.

        Raises:
            ConfigError: Something is missing or malformed; names it and the next step.
        """
        root = project_dir.expanduser().absolute()
        config = profiles.read_yaml(_project_file(root))
        name = _text(config.get("name"), "`name`", root)
        profile_name = _profile_name(config, root)
        directory = profiles.find_directory(root, profiles_dir)
        target_name, output = profiles.read_output(directory, profile_name, target)
        if not isinstance(output.get("type"), str):
            raise ConfigError(
                f"the target {target_name!r} of the profile {profile_name!r} has no `type`",
                hint="add the adapter, such as `type: duckdb`",
            )
        return cls(
            root=root,
            name=name,
            profiles_dir=directory,
            profile_name=profile_name,
            target_name=target_name,
            output=_with_absolute_paths(output, root),
            config=config,
        )

    @property
    def adapter_type(self) -> str:
        """dbt's name of the adapter, such as `duckdb`."""
        return str(self.output["type"])

    def folders(self, setting: str) -> tuple[Path, ...]:
        """Absolute folders of a `*-paths` setting of `dbt_project.yml`, dbt's default included."""
        names = self.config.get(setting) or [_CODE_FOLDERS[setting]]
        return tuple(self.root / str(name) for name in cast("list[Any]", names))

    def digest(self) -> str:
        """Hexadecimal digest that changes when a project file or the target's output changes.

        Files of over a megabyte (seeds) and installed packages count by size and time of change.
        """
        digest = hashlib.sha256()
        settings = (self.profile_name, self.target_name, dict(self.output))
        digest.update(json.dumps(settings, sort_keys=True, default=str).encode())
        code = (
            path
            for setting in _CODE_FOLDERS
            for folder in self.folders(setting)
            for path in _files(folder)
        )
        for path in (*(self.root / name for name in _ROOT_FILES), *code):
            digest.update(_trace(path, self.root, whole_bytes=_HASHED_WHOLE_BYTES))
        packages = self.root / str(self.config.get("packages-install-path") or "dbt_packages")
        for path in _files(packages):
            digest.update(_trace(path, self.root, whole_bytes=0))
        return digest.hexdigest()[:32]


def _text(value: Any, what: str, root: Path) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{root / PROJECT_FILE} gives no {what}", hint=f"add {what} to it")
    return value


def _profile_name(config: Mapping[str, Any], root: Path) -> str:
    named = os.environ.get("DBT_PROFILE") or config.get("profile")
    profile = _text(named, "`profile`", root)
    return str(profiles.render(profile, where=f"{root / PROJECT_FILE}: profile"))


def _project_file(root: Path) -> Path:
    path = root / PROJECT_FILE
    if path.is_file():
        return path
    if not root.is_dir():
        raise ConfigError(f"there is no folder {root}", hint="give the folder of a dbt project")
    below = sorted(found.parent.name for found in root.glob(f"*/{PROJECT_FILE}"))
    hint = f"there is one in {', '.join(below)}" if below else "give the folder of a dbt project"
    raise ConfigError(f"no {PROJECT_FILE} in {root}", hint=hint)


def _with_absolute_paths(output: Mapping[str, Any], root: Path) -> Mapping[str, Any]:
    """DuckDB's relative paths count from the project: dbt moves there before it connects."""
    if output.get("type") != "duckdb":
        return output
    absolute = dict(output)
    if "path" in output:
        absolute["path"] = _absolute(output["path"], root)
    attached = output.get("attach")
    if isinstance(attached, list):
        absolute["attach"] = [_attached(entry, root) for entry in cast("list[Any]", attached)]
    return absolute


def _attached(entry: Any, root: Path) -> Any:
    if not isinstance(entry, dict):
        return entry
    attachment = cast("dict[str, Any]", entry)
    return {**attachment, "path": _absolute(attachment.get("path"), root)}


def _absolute(path: Any, root: Path) -> Any:
    """`path` below `root`; what is no relative file path (`:memory:`, `md:`, `~`) as it is."""
    if not isinstance(path, str) or not path or ":" in path or path.startswith("~"):
        return path
    return str(root / path)


def _files(folder: Path) -> Iterator[Path]:
    for directory, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if name not in {".git", "__pycache__"})
        for name in sorted(names):
            yield Path(directory, name)


def _trace(path: Path, root: Path, *, whole_bytes: int) -> bytes:
    """What a file adds to the digest; up to `whole_bytes` its content, beyond that its age."""
    name = os.fsencode(os.path.relpath(path, root))
    try:
        status = path.stat()
        if status.st_size <= whole_bytes:
            content = path.read_bytes()
        else:
            content = str(status.st_mtime_ns).encode()
    except OSError:
        return b"\0%b\0absent" % name
    return b"\0%b\0%d\0%b" % (name, status.st_size, content)
