"""`Workspace`: a dbt project opened with its warehouse, its repository and the agent's memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from dagster_agent.autonomy.guard import AutonomyGuard
from dagster_agent.connectors.code_hosts import open_code_host
from dagster_agent.connectors.state_stores import open_store
from dagster_agent.connectors.warehouses import open_warehouse
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.dbt.project import DbtProject
from dagster_agent.errors import ConfigError
from dagster_agent.git.repository import GitRepository
from dagster_agent.investigation.accounts.book import AccountBook
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.model import Relation, TableSchema
from dagster_agent.ports import CodeHost, StateStore, Warehouse
from dagster_agent.privacy.redaction import known_secrets
from dagster_agent.repair.sandbox import Sandbox
from dagster_agent.response.truth_stores import LoadAsset, TruthStores
from dagster_agent.settings import Settings

_MANIFESTS_KEPT = 5


@dataclass(kw_only=True)
class Workspace:
    """All that the stations of the flow need. Close it, or use it as a context manager."""

    settings: Settings
    project: DbtProject
    warehouse: Warehouse
    store: StateStore
    repository: GitRepository | None
    state_directory: Path
    """Private folder of the agent: state, snapshots, compiled manifests, sandboxes."""
    load_asset: LoadAsset | None = None
    """Loads a Dagster asset as a source of truth; None outside Dagster."""
    _truths: TruthStores | None = None
    _manifest: Manifest | None = None
    _schemas: Mapping[Relation, TableSchema] | None = None
    _book: AccountBook | None = None

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        state_directory: Path,
        project_dir: Path | None = None,
        profiles_dir: Path | None = None,
        target: str | None = None,
        load_asset: LoadAsset | None = None,
    ) -> Workspace:
        """Open the project; touches neither the warehouse nor dbt yet.

        Args:
            settings: As the customer gave them; their project, profiles and target win.
            state_directory: Folder for state and caches; created.
            project_dir: dbt project, where the settings name none.
            profiles_dir: Folder of profiles.yml, where the settings name none.
            target: dbt target, where the settings name none.
            load_asset: Loads the value of a Dagster asset; None outside Dagster.

        Raises:
            ConfigError: No project, an unreadable profile, an unknown target or adapter.
        """
        root = settings.project_dir or project_dir
        if root is None:
            raise ConfigError(
                "no dbt project is known",
                hint="set project_dir in the settings, or pass project= to @dbt_assets",
            )
        project = DbtProject.open(
            root,
            profiles_dir=settings.profiles_dir or profiles_dir,
            target=settings.target or target,
        )
        state_directory = settings.state.directory or state_directory
        state_directory.mkdir(parents=True, exist_ok=True)
        return cls(
            settings=settings,
            project=project,
            warehouse=_warehouse(project.output, project, state_directory, settings),
            store=open_store(settings.state.url_in(state_directory)),
            repository=GitRepository.discover(project.root),
            state_directory=state_directory,
            load_asset=load_asset,
        )

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back what is held; the state stays on disk."""
        for held in (self.store, self.warehouse, self._truths):
            closer = getattr(held, "close", None)
            if closer is not None:
                closer()

    @property
    def manifest(self) -> Manifest:
        """The manifest with compiled code of the project as it is on disk now.

        Compiled in a sandbox, so neither the customer's `target/` nor the warehouse file is
        touched, and kept until a file of the project changes.
        """
        if self._manifest is None:
            self._manifest = self._compiled()
        return self._manifest

    @property
    def compiled(self) -> Manifest | None:
        """The same where it was compiled already: for sensor ticks, which must not wait for dbt."""
        if self._manifest is None and self._manifest_path().is_file():
            self._manifest = Manifest.load(self._manifest_path())
        return self._manifest

    def forget(self) -> None:
        """Read project and data anew when they are asked for next: they were changed."""
        self._manifest = None
        self._schemas = None
        self._book = None

    @property
    def book(self) -> AccountBook:
        """What is counted of single assets, kept as long as the workspace is open."""
        if self._book is None:
            self._book = AccountBook(self.manifest, self.warehouse, self.schema)
        return self._book

    @property
    def lineage(self) -> Manifest:
        """A manifest for names and lineage, at once where there is one: for sensor ticks.

        The compiled one of the project as it is, else the one that dbt wrote last, which may be a
        commit behind and lack compiled code; only without either is the project compiled.
        """
        if self._manifest is not None:
            return self._manifest
        target = self.project.root / str(self.project.config.get("target-path") or "target")
        for path in (self._manifest_path(), target / "manifest.json"):
            if path.is_file():
                return Manifest.load(path)
        return self.manifest

    def _manifest_path(self) -> Path:
        return self.state_directory / "manifests" / f"{self.project.digest()}.json"

    def schema(self, relation: Relation) -> TableSchema | None:
        """The schema of a watched relation; None when there is no such table.

        All of them are read in one statement when the first is asked for, and kept as long as the
        workspace is open: the time of one run.

        Raises:
            ConnectorError: The warehouse does not answer; asked again, it is tried again.
        """
        if self._schemas is None:
            relations = [a.relation for a in self.manifest.assets.values() if a.relation]
            self._schemas = self.warehouse.schemas(relations)
        return self._schemas.get(relation)

    def _compiled(self) -> Manifest:
        path = self._manifest_path()
        kept = path.parent
        if not path.exists():
            kept.mkdir(exist_ok=True)
            with self.sandbox(compile_only=True) as sandbox:
                compiled = sandbox.compile_to(kept)
                compiled.replace(path)
            for old in sorted(kept.glob("*.json"), key=lambda p: p.stat().st_mtime)[
                :-_MANIFESTS_KEPT
            ]:
                old.unlink(missing_ok=True)
        return Manifest.load(path)

    def sandbox(self, *, compile_only: bool = False) -> Sandbox:
        """A fresh sandbox; the caller enters and leaves it.

        Args:
            compile_only: Nothing will be built in it.
        """
        home = self.state_directory / "sandboxes"
        home.mkdir(exist_ok=True)
        directory = Path(tempfile.mkdtemp(prefix="sandbox-", dir=home))
        return Sandbox(
            project=self.project,
            warehouse=self.warehouse,
            directory=directory,
            compile_only=compile_only,
        )

    @property
    def truths(self) -> TruthStores:
        """The sources of truth outside the project's warehouse."""
        if self._truths is None:
            self._truths = TruthStores(
                self.project,
                self.state_directory / "truths",
                open_output=lambda output: _warehouse(
                    output, self.project, self.state_directory, self.settings
                ),
                load_asset=self.load_asset,
            )
        return self._truths

    @property
    def codebase(self) -> Codebase:
        """Code and history of the project."""
        return Codebase(
            root=self.project.root,
            manifest=self.manifest,
            dialect=self.warehouse.dialect,
            repository=self.repository,
            prefix=self.project_prefix,
            max_commits=self.settings.investigation.max_commits,
        )

    @property
    def project_prefix(self) -> str:
        """The dbt project's folder inside its repository, POSIX, empty at the root."""
        if self.repository is None:
            return ""
        relative = self.project.root.resolve().relative_to(self.repository.root.resolve())
        return "" if str(relative) == "." else relative.as_posix()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values of the profile and the environment that must not appear in any text."""
        opened = self._truths.outputs if self._truths is not None else []
        found = {
            secret: None
            for output in (self.project.output, *opened)
            for secret in known_secrets(os.environ, output)
        }
        return tuple(found)

    def guard(self, holder: str) -> AutonomyGuard:
        """The guard through which every write passes; `holder` is who acts."""
        return AutonomyGuard(
            self.store, self.settings.autonomy, holder=holder, secrets=self.secrets
        )

    def code_host(self) -> CodeHost:
        """Where pull requests are opened."""
        host = self.settings.code_host
        remote_url = self.repository.remote_url(host.remote) if self.repository else None
        directory = host.directory or _beside_bare_repository(remote_url) or self.state_directory
        return open_code_host(host.kind, remote_url=remote_url, directory=directory)


def _warehouse(
    output: Mapping[str, Any], project: DbtProject, state_directory: Path, settings: Settings
) -> Warehouse:
    return open_warehouse(
        output,
        base_dir=project.root,
        snapshot_dir=state_directory / "snapshots",
        config=settings.warehouse,
    )


def _beside_bare_repository(remote_url: str | None) -> Path | None:
    """The folder of a local bare repository, None for a remote on a network."""
    if remote_url is None:
        return None
    path = Path(remote_url.removeprefix("file://"))
    return path if path.is_dir() else None
