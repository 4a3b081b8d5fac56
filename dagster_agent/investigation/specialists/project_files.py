"""Which files of the dbt project a specialist may see."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from dagster_agent.investigation.specialists.tool import ToolError

_KINDS = frozenset({".sql", ".yml", ".yaml", ".md", ".py", ".csv"})
_SECRET = frozenset({"profiles.yml", "profiles.yaml", ".user.yml"})
_SKIPPED = frozenset({"target", "logs", "node_modules", "__pycache__", "venv", "dbt_packages"})
_MAX_BYTES = 400_000


def readable_path(path: str) -> str:
    """The path, normalised, when it is a file of the project's code.

    Raises:
        ToolError: It leaves the project, is hidden, or is of a kind that may hold secrets.
    """
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts or "\\" in path:
        raise ToolError(f"{path!r} is no path inside the dbt project", hint="see read_model")
    hidden = any(part.startswith(".") for part in parts)
    if hidden or parts[-1].lower() in _SECRET or PurePosixPath(path).suffix.lower() not in _KINDS:
        raise ToolError(
            f"{path!r} may not be read", hint=f"only code may: {', '.join(sorted(_KINDS))}"
        )
    return "/".join(parts)


def code_files(root: Path) -> Iterator[tuple[str, Path]]:
    """The project's own SQL and YAML files with their paths in it, in path order."""
    for directory, below, names in os.walk(root):
        below[:] = sorted(n for n in below if n not in _SKIPPED and not n.startswith("."))
        for name in sorted(names):
            file = Path(directory, name)
            path = file.relative_to(root).as_posix()
            if file.suffix not in {".sql", ".yml", ".yaml"} or name.lower() in _SECRET:
                continue
            if file.is_symlink() or file.stat().st_size > _MAX_BYTES:
                continue
            yield path, file


def yml_files_of(root: Path, model_path: str, name: str) -> Iterator[tuple[str, str]]:
    """Paths and texts of the yml files that describe a model: in its folder, or one above it."""
    folder = PurePosixPath(model_path).parent
    for place in (folder, *folder.parents):
        if place == PurePosixPath("."):
            return
        for file in sorted((root / place).glob("*.y*ml")):
            if file.is_symlink() or file.suffix not in {".yml", ".yaml"}:
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            if name in model_names(text):
                yield (place / file.name).as_posix(), text


def model_names(text: str) -> frozenset[str]:
    """Names under `models:` of a yml file; none where dbt could not read it either."""
    import yaml

    try:
        document: Any = yaml.safe_load(text)
        return frozenset(str(entry["name"]) for entry in document["models"])
    except (yaml.YAMLError, TypeError, KeyError):
        return frozenset()
