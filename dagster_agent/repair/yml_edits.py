"""Describing columns in a dbt yml file; every byte that was there stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from dagster_agent.repair.edits import NoEdit


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDescription:
    """What is to be said of a column."""

    name: str
    """As in the warehouse."""
    description: str = ""
    """What it holds; left out when empty."""
    not_null: bool = False
    """dbt is to test that it is never NULL."""


def describe_columns(
    text: str | None, model: str, columns: Sequence[ColumnDescription]
) -> str | NoEdit:
    """Add columns to a model's entry; the entry too, where there is none.

    Args:
        text: The file; None for a new one.
        model: dbt's name of the model.
        columns: Those that the entry has already stay as they are.

    Returns:
        The file afterwards.
    """
    if text is None or not text.strip():
        return "models:\n" + "\n".join(_model(model, columns, "  ", _tests_key(""))) + "\n"
    document = _load(text)
    if isinstance(document, NoEdit):
        return document
    after = _inserted(text, document, model, columns)
    if isinstance(after, NoEdit):
        return after
    if not _says(after, _expected(text, model, columns)):
        return NoEdit(reason="the yml file is written in a way that a line cannot be added to")
    return after


def _inserted(
    text: str, document: Any, model: str, columns: Sequence[ColumnDescription]
) -> str | NoEdit:
    tests = _tests_key(text)
    models = document.get("models")
    if not models:
        if "models" in document:
            return NoEdit(reason="the yml file has an empty list of models")
        lines = ["models:", *_model(model, columns, "  ", tests)]
        return _with_lines(text, len(text.splitlines()), ["", *lines])
    entry = next((m for m in models if m.get("name") == model), None)
    if _in_one_line(models) or (entry is not None and _in_one_line(entry)):
        return NoEdit(reason="the yml file lists its models in one line")
    if entry is None:
        last = models[-1]
        dash = " " * _dash(text, last)
        return _with_lines(text, _end(text, last), ["", *_model(model, columns, dash, tests)])
    listed = entry.get("columns")
    known = {str(c.get("name")).casefold() for c in listed or ()}
    new = [c for c in columns if c.name.casefold() not in known]
    if not new:
        return text
    if listed:
        if _in_one_line(listed):
            return NoEdit(reason="the yml file lists the model's columns in one line")
        dash = " " * _dash(text, listed[-1])
        return _with_lines(text, _end(text, listed[-1]), _columns(new, dash, tests))
    if "columns" in entry:
        return NoEdit(reason="the yml file has an empty list of columns for the model")
    inside = " " * entry.lc.col
    lines = [f"{inside}columns:", *_columns(new, f"{inside}  ", tests)]
    return _with_lines(text, _end(text, entry), lines)


def _model(name: str, columns: Sequence[ColumnDescription], dash: str, tests: str) -> list[str]:
    return [
        f"{dash}- name: {_scalar(name)}",
        f"{dash}  columns:",
        *_columns(columns, f"{dash}    ", tests),
    ]


def _columns(columns: Sequence[ColumnDescription], dash: str, tests: str) -> list[str]:
    lines: list[str] = []
    for column in columns:
        lines.append(f"{dash}- name: {_scalar(column.name)}")
        if column.description:
            lines.append(f"{dash}  description: {_scalar(column.description)}")
        if column.not_null:
            lines.append(f"{dash}  {tests}: [not_null]")
    return lines


def _expected(text: str, model: str, columns: Sequence[ColumnDescription]) -> Any:
    """What the file should say afterwards."""
    import yaml

    document: Any = yaml.safe_load(text)
    entries: Any = document.setdefault("models", [])
    entry: Any = next((m for m in entries if m.get("name") == model), None)
    if entry is None:
        entry = {"name": model}
        entries.append(entry)
    listed: Any = entry.setdefault("columns", [])
    known = {str(c.get("name")).casefold() for c in listed}
    for column in columns:
        if column.name.casefold() not in known:
            said: dict[str, Any] = {"name": column.name, "description": column.description}
            said |= {_tests_key(text): ["not_null"]} if column.not_null else {}
            listed.append({key: value for key, value in said.items() if value})
    return document


def _says(text: str, wanted: Any) -> bool:
    import yaml

    try:
        return bool(yaml.safe_load(text) == wanted)
    except yaml.YAMLError:
        return False


def _tests_key(text: str) -> str:
    """dbt's older word where the file uses it."""
    older = "tests:" in text.replace("data_tests:", "")
    return "tests" if older and "data_tests:" not in text else "data_tests"


def _scalar(value: str) -> str:
    import yaml

    return yaml.safe_dump([value], width=10**9, allow_unicode=True)[2:].rstrip("\n")


def _with_lines(text: str, after: int, lines: Sequence[str]) -> str:
    """The text with lines put in behind the first `after` ones."""
    newline = "\r\n" if "\r\n" in text else "\n"
    existing = text.splitlines(keepends=True)
    head, tail = "".join(existing[:after]), "".join(existing[after:])
    if head and not head.endswith(("\n", "\r")):
        return head + newline + newline.join(lines)
    return head + "".join(line + newline for line in lines) + tail


def _end(text: str, node: Any) -> int:
    """1-based number of the last line of a list item: nothing of it is less indented."""
    lines = text.splitlines()
    dash = _dash(text, node)
    end = number = int(node.lc.line) + 1
    for line in lines[end:]:
        number += 1
        indent = len(line) - len(line.lstrip())
        if line.strip() and indent <= dash:
            break
        if line.strip() and not line.lstrip().startswith("#"):
            end = number
    return end


def _dash(text: str, node: Any) -> int:
    """0-based column of the dash before a list item."""
    position: Any = node.lc
    return text.splitlines()[int(position.line)].rindex("-", 0, int(position.col))


def _in_one_line(node: Any) -> bool:
    return bool(node.fa.flow_style())


def _load(text: str) -> Any:
    """ruamel's document with its positions; NoEdit where it is no mapping of yml."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document: Any = cast("Any", YAML()).load(text)
    except YAMLError as error:
        return NoEdit(reason=f"the yml file cannot be read: {str(error).splitlines()[0]}")
    models = document.get("models") if hasattr(document, "get") else None
    listed = models is None or all(hasattr(m, "get") for m in models)
    if not hasattr(document, "get") or not listed:
        return NoEdit(reason="the yml file is none of dbt's")
    return document
