"""The case files in `tests/cases/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def read_cases(path: Path) -> Any:
    """What a YAML file holds; by the parser in C, or collecting the tests takes seconds more."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
