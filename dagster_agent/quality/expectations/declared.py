"""Expectations as the customer wrote them: in meta, in a suite file, or as objects of GX."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from dagster_agent.errors import ConfigError, DagsterAgentError

_SEVERITIES = ("critical", "warning", "info")
_KEYS = frozenset({"type", "kwargs", "meta", "severity", "expectation_type", "id", "notes"})
"""Keys of an expectation in a suite; `expectation_type` is how GX before 1.0 wrote `type`."""
_NAME_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredExpectation:
    """One expectation of a suite or of an asset's meta."""

    type: str
    """Such as `expect_column_values_to_not_be_null`."""
    kwargs: Mapping[str, Any] = field(default_factory=lambda: dict[str, Any]())
    """Its arguments."""
    severity: str = "critical"
    """`critical`, `warning` or `info`, as Great Expectations names them."""
    notes: str = ""
    """What it is for, in words."""
    validation: str = ""
    """Name of the validation definition of the customer's checkpoint it is of; else empty."""

    @property
    def about(self) -> str:
        """The columns it is about, for names and headlines; empty for the table."""
        for key in ("column", "column_list", "column_set"):
            found: object = self.kwargs.get(key)
            if is_many(found):
                return ", ".join(map(str, cast("Iterable[object]", found)))
            if found:
                return str(found)
        pair = [str(self.kwargs[key]) for key in ("column_A", "column_B") if key in self.kwargs]
        return ", ".join(pair)

    @property
    def says(self) -> str:
        """The expectation in words: `amount: values to not be null`."""
        words = self.type.removeprefix("expect_").removeprefix("column_").replace("_", " ")
        said = self.notes or (f"{self.about}: {words}" if self.about else words)
        return f"{said} (validation {self.validation})" if self.validation else said


def read_expectation(entry: object, where: str) -> DeclaredExpectation:
    """One expectation, as a mapping or as an object of Great Expectations.

    Args:
        entry: What was given.
        where: Whose it is, for error messages.

    Raises:
        ConfigError: It is neither, has no type, or an unknown key or severity.
    """
    given = _as_mapping(entry)
    if given is None:
        raise ConfigError(
            f"{where} has the expectation {entry!r}",
            hint="write {type: expect_column_values_to_not_be_null, kwargs: {column: ...}}",
        )
    type_ = given.get("type") or given.get("expectation_type")
    kwargs: object = given.get("kwargs") or {}
    if not isinstance(type_, str) or not isinstance(kwargs, Mapping):
        raise ConfigError(
            f"{where} has the expectation {dict(given)!r}",
            hint="`type` is a name, `kwargs` a mapping",
        )
    unknown = sorted(set(given) - _KEYS - {"rendered_content", "description"})
    if unknown:
        raise ConfigError(
            f"the expectation {type_} of {where} has the unknown key {unknown[0]!r}",
            hint="arguments such as `column` belong under `kwargs`",
        )
    return DeclaredExpectation(
        type=type_,
        kwargs=dict(cast("Mapping[str, Any]", kwargs)),
        severity=_severity(given, type_, where),
        notes=_notes(given),
    )


def read_all(
    entries: Sequence[object], where: str
) -> list[DeclaredExpectation | DagsterAgentError]:
    """Read expectations; one that is wrong becomes its error and does not stop the others."""
    found: list[DeclaredExpectation | DagsterAgentError] = []
    for entry in entries:
        try:
            found.append(read_expectation(entry, where))
        except ConfigError as error:
            found.append(error)
    return found


def names_of(declared: Sequence[DeclaredExpectation | DagsterAgentError]) -> list[str]:
    """A name for each that is unique among them and stays when others are added behind it.

    Of ASCII letters, digits and underscores, since Dagster takes no others in names of checks.
    """
    names: list[str] = []
    for position, each in enumerate(declared, start=1):
        base = f"number_{position}"
        if isinstance(each, DeclaredExpectation):
            base = _plain(f"{each.type}_{each.about}")[:_NAME_LENGTH].rstrip("_") or base
        names.append(f"{base}_{position}" if base in names else base)
    return names


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[^a-z0-9]+", "_", letters.encode("ascii", "ignore").decode()).strip("_")


def read_suite(suite: object) -> tuple[str, tuple[object, ...]]:
    """The name of a suite and its expectations, not read yet.

    Args:
        suite: Path of a JSON or YAML file as a GX project keeps it, the same as a mapping, a list
            of expectations, or an `ExpectationSuite`.

    Raises:
        ConfigError: The file cannot be read or holds no suite.
    """
    if isinstance(suite, str | Path):
        return _of_file(Path(suite))
    if isinstance(suite, list | tuple):
        return "expectations", tuple(cast("Sequence[object]", suite))
    given = _as_mapping(suite)
    if given is None or not isinstance(given.get("expectations"), list | tuple):
        raise ConfigError(
            f"{suite!r:.200} is no expectation suite",
            hint="give the path of a suite's JSON or YAML, a list, or an ExpectationSuite",
        )
    name = given.get("name") or given.get("expectation_suite_name") or "suite"
    return str(name), tuple(given["expectations"])


def _of_file(path: Path) -> tuple[str, tuple[object, ...]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the expectation suite {path} cannot be read: {error}",
            hint="give the path of a JSON or YAML file of a suite",
        ) from None
    try:
        content: object = json.loads(text) if path.suffix == ".json" else _yaml(text)
    except ValueError as error:
        raise ConfigError(
            f"the expectation suite {path} is no complete {path.suffix or 'YAML'}: {error}",
            hint="save it again from Great Expectations",
        ) from None
    if isinstance(content, list):
        return path.stem, tuple(cast("Sequence[object]", content))
    if not isinstance(content, Mapping) or "expectations" not in content:
        raise ConfigError(
            f"{path} holds no expectation suite", hint="a suite has a list under `expectations`"
        )
    name, found = read_suite(cast("Mapping[str, Any]", content))
    return name if name != "suite" else path.stem, found


def _yaml(text: str) -> object:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _as_mapping(given: object) -> Mapping[str, Any] | None:
    """A mapping, or an object of Great Expectations as the mapping that it would be kept as."""
    if isinstance(given, Mapping):
        return cast("Mapping[str, Any]", given)
    for name in ("to_json_dict", "configuration"):
        found = getattr(given, name, None)
        value: object = found() if callable(found) else found
        if isinstance(value, Mapping):
            return cast("Mapping[str, Any]", value)
        to_dict = getattr(value, "to_json_dict", None)
        if callable(to_dict):
            return cast("Mapping[str, Any]", to_dict())
    return None


def _severity(given: Mapping[str, Any], type_: str, where: str) -> str:
    severity = str(getattr(given.get("severity"), "value", given.get("severity")) or "critical")
    if severity not in _SEVERITIES:
        raise ConfigError(
            f"the expectation {type_} of {where} has the severity {severity!r}",
            hint=f"one of {', '.join(_SEVERITIES)}",
        )
    return severity


def _notes(given: Mapping[str, Any]) -> str:
    meta: object = given.get("meta")
    notes: object = given.get("notes")
    if not notes and isinstance(meta, Mapping):
        notes = cast("Mapping[str, Any]", meta).get("notes")
    if isinstance(notes, Mapping):  # GX keeps {"format": ..., "content": [...]}
        notes = cast("Mapping[str, Any]", notes).get("content")
    if isinstance(notes, list | tuple):
        notes = " ".join(map(str, cast("Sequence[object]", notes)))
    return str(notes or given.get("description") or "")


def is_many(value: object) -> bool:
    """Whether an argument is a list or a set."""
    return isinstance(value, list | tuple | set | frozenset)
