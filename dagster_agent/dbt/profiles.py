"""`profiles.yml` read as dbt reads it: where it is looked for, how its Jinja is rendered."""

from __future__ import annotations

import os
import re
from ast import literal_eval
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from dagster_agent.errors import ConfigError

FILE_NAME = "profiles.yml"

_SINGLE_EXPRESSION = re.compile(r"\{\{((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)


def find_directory(project_root: Path, explicit: Path | None) -> Path:
    """The folder of the `profiles.yml` that counts.

    In dbt's order: the explicit one, `DBT_PROFILES_DIR`, the project's folder, `~/.dbt`.

    Raises:
        ConfigError: There is none; the message lists where it was looked for.
    """
    named = explicit or os.environ.get("DBT_PROFILES_DIR")
    if named is not None:
        candidates = [Path(named).expanduser()]
    else:
        candidates = [project_root, Path.home() / ".dbt"]
    for directory in candidates:
        if (directory / FILE_NAME).is_file():
            return directory.absolute()
    places = ", ".join(str(directory) for directory in candidates)
    raise ConfigError(
        f"no {FILE_NAME} in {places}",
        hint="give its folder as profiles_dir (--profiles-dir), or set DBT_PROFILES_DIR",
    )


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file whose top level is a mapping.

    Raises:
        ConfigError: Unreadable, no YAML, or no mapping; the message says where.
    """
    try:
        loaded: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", hint="check the file") from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path} is no valid YAML: {reason}", hint="mend the file") from error
    if not isinstance(loaded, dict):
        raise ConfigError(f"{path} is empty or holds no mapping", hint="mend the file")
    return cast("dict[str, Any]", loaded)


def read_output(
    directory: Path, profile_name: str, target: str | None
) -> tuple[str, Mapping[str, Any]]:
    """The target's name and its rendered output. Other targets are not rendered, as in dbt.

    Args:
        directory: Folder of `profiles.yml`.
        profile_name: Profile that the project names.
        target: Target asked for; without one `DBT_TARGET`, then the profile's own `target`,
            then `default`.

    Raises:
        ConfigError: Unknown profile or target, or a value that cannot be rendered.
    """
    path = directory / FILE_NAME
    profiles = read_yaml(path)
    profile = _child(profiles, profile_name, f"profile {profile_name!r} in {path}")
    target = target or os.environ.get("DBT_TARGET")
    if target is None:
        target = str(render(profile.get("target", "default"), where=f"{path}: target"))
    outputs = _child(profile, "outputs", f"outputs of the profile {profile_name!r} in {path}")
    output = _child(outputs, target, f"target {target!r} in the profile {profile_name!r} of {path}")
    return target, render(output, where=f"{path}: {profile_name}.outputs.{target}")


def _child(parent: Mapping[str, Any], name: str, what: str) -> dict[str, Any]:
    if name not in parent:
        known = ", ".join(str(key) for key in parent if key != "config")
        raise ConfigError(f"there is no {what}", hint=f"known there: {known or 'nothing'}")
    if not isinstance(parent[name], dict):
        raise ConfigError(f"the {what} is no mapping", hint="mend the file")
    return cast("dict[str, Any]", parent[name])


def render(value: Any, *, where: str) -> Any:
    """Render the Jinja in every text of a nested value.

    A text that is one expression keeps the type that `as_number`, `as_bool` or `as_native` gives
    it; everything else becomes text, as in dbt.

    Raises:
        ConfigError: An environment variable is missing, or a text is no valid Jinja.
    """
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {key: render(item, where=f"{where}.{key}") for key, item in items}
    if isinstance(value, list):
        entries = cast("list[Any]", value)
        return [render(item, where=f"{where}[{i}]") for i, item in enumerate(entries)]
    if not isinstance(value, str) or "{" not in value:
        return value
    try:
        return _rendered(value)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.message}", hint=error.hint) from None
    except (TemplateError, ValueError, TypeError) as error:
        if where.endswith((".password", ".pass")):
            return value  # dbt too takes a password that is no Jinja as it stands
        raise ConfigError(
            f"{where} cannot be rendered: {error}",
            hint="only env_var() and dbt's conversion filters are known here",
        ) from error


def _rendered(text: str) -> Any:
    environment = _environment()
    if single := _SINGLE_EXPRESSION.fullmatch(text):
        return environment.compile_expression(single[1], undefined_to_none=False)()
    return environment.from_string(text).render()


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    environment.globals["env_var"] = _env_var  # pyright: ignore[reportArgumentType] # typed as jinja's own defaults only
    environment.filters.update(
        as_text=str,
        as_native=_literal,
        as_number=_converted("number", _is_number),
        as_bool=_converted("bool", lambda v: isinstance(v, bool)),
    )
    return environment


def _env_var(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise ConfigError(f"the environment variable {name} is not set", hint=f"set {name}")
    return value


def _literal(value: Any) -> Any:
    try:
        return literal_eval(str(value))
    except (ValueError, SyntaxError):
        return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _converted(kind: str, fits: Callable[[Any], bool]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        converted = _literal(value)
        if not fits(converted):
            # the value itself may be a secret
            raise ValueError(f"the value is no {kind}")
        return converted

    return convert
