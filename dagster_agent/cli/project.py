"""The options by which a command finds a dbt project, its settings and its memory."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, cast

import click

from dagster_agent.errors import ConfigError

if TYPE_CHECKING:
    from dagster_agent.response import Workspace
    from dagster_agent.settings import Settings

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOptions:
    """What was given on the command line."""

    project_dir: Path
    """Folder of dbt_project.yml."""
    profiles_dir: Path | None
    """Folder of profiles.yml; None: dbt's own search order."""
    target: str | None
    """dbt target; None: the profile's default."""
    settings_file: Path | None
    """YAML with settings; None: the defaults."""
    state_dir: Path | None
    """Where memory is kept; None: nowhere."""

    def settings(self) -> Settings:
        """The settings of the file.

        Raises:
            ConfigError: It cannot be read, or a setting is unknown or wrong.
        """
        from dagster_agent.settings import Settings

        return Settings() if self.settings_file is None else _read_settings(self.settings_file)

    @contextmanager
    def workspace(self) -> Generator[Workspace]:
        """Open the project; memory that is not to be kept is removed at the end."""
        from dagster_agent.response import Workspace

        with (
            tempfile.TemporaryDirectory(prefix="dagster-agent-") as fleeting,
            Workspace.open(
                self.settings(),
                project_dir=self.project_dir,
                profiles_dir=self.profiles_dir,
                target=self.target,
                state_directory=self.state_dir or Path(fleeting),
            ) as workspace,
        ):
            yield workspace


def _read_settings(path: Path) -> Settings:
    import yaml

    from dagster_agent.settings import Settings

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the settings in {path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(
            f"the settings in {path} are no YAML: {error}", hint="mend the line that is named"
        ) from error
    if values is not None and not isinstance(values, dict):
        raise ConfigError(
            f"the settings in {path} are {type(values).__name__}, not a mapping",
            hint="write `field: value` lines; see docs/settings.md",
        )
    return Settings.parse(cast("dict[str, Any] | None", values))


def project_options(
    command: Callable[Concatenate[ProjectOptions, P], None],
) -> Callable[..., None]:
    """Give a command the project options; it receives them as one value."""
    folder = click.Path(path_type=Path, file_okay=False)
    file = click.Path(path_type=Path, dir_okay=False, exists=True)

    @functools.wraps(command)
    def run(
        project_dir: Path,
        profiles_dir: Path | None,
        target: str | None,
        settings_file: Path | None,
        state_dir: Path | None,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        options = ProjectOptions(
            project_dir=project_dir,
            profiles_dir=profiles_dir,
            target=target,
            settings_file=settings_file,
            state_dir=state_dir,
        )
        command(options, *args, **kwargs)

    wrapped: Callable[..., None] = run
    for option in (
        click.option("--state-dir", type=folder, help="Keep memory here; by default none is kept."),
        click.option("--settings", "settings_file", type=file, help="YAML file with settings."),
        click.option("--target", help="dbt target; by default the profile's own."),
        click.option("--profiles-dir", type=folder, help="Folder of profiles.yml."),
        click.option(
            "--project-dir", type=folder, default=Path(), show_default="here", help="dbt project."
        ),
    ):
        wrapped = option(wrapped)
    return wrapped
