"""`Sandbox`: a private copy of a dbt project and its data, in which changes are tried."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any

from dagster_agent.dbt.invocation import DbtOutcome, DbtWorker
from dagster_agent.dbt.manifest import Manifest
from dagster_agent.dbt.project import DbtProject
from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.model import ProposedChange, Relation
from dagster_agent.ports import Warehouse
from dagster_agent.repair import workdir
from dagster_agent.sql.identifiers import relation_sql

_TESTS = ("test", "unit_test")
_KEPT_SCHEMA = "dagster_agent_before"
_READ_ONLY = {"PGOPTIONS": "-c default_transaction_read_only=on"}
"""Keeps macros from writing while the customer's own PostgreSQL is asked."""
_RUN_MACRO = """{% macro dagster_agent_run(statements) %}
  {% for sql in statements %}{% do run_query(sql) %}{% endfor %}
{% endmacro %}
"""


class Sandbox:
    """A context manager; on every way out dbt is ended and the folder removed.

    Nothing of the customer's is written: dbt works on a copy of the project, with a profile, a
    target folder and a log folder of its own, on a scratch copy of the data. Models that write
    elsewhere (`materialized: external`) are never built; hooks do run.

    Args:
        project: The customer's project.
        warehouse: The customer's data.
        directory: A private, empty folder; created when missing.
        compile_only: Nothing will be built: where the data cannot be copied, the customer's own
            target is asked what compiling has to ask, as their own `dbt compile` does.
    """

    def __init__(
        self,
        *,
        project: DbtProject,
        warehouse: Warehouse,
        directory: Path,
        compile_only: bool = False,
    ) -> None:
        self.root = directory / "project"
        """The copy of the project."""
        self._project = project
        self._original = warehouse
        self._directory = directory
        self._compile_only = compile_only
        self._scratch: Warehouse | None = None
        self._worker: DbtWorker | None = None
        self._manifest: Manifest | None = None
        self._manifest_before: Manifest | None = None
        self._replaced: dict[Path, bytes | None] = {}

    def __enter__(self) -> Sandbox:
        """Make the copies and start dbt.

        Raises:
            ConfigError: The project cannot be copied as it is.
            ConnectorError: The data cannot be copied.
        """
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        workdir.copy_project(self._project, self.root, private=self._directory)
        macros = self.root / self._project.folders("macro-paths")[0].relative_to(self._project.root)
        macros.mkdir(parents=True, exist_ok=True)
        (macros / "dagster_agent_run.sql").write_text(_RUN_MACRO)
        self._worker = DbtWorker(
            project_dir=self.root,
            profiles_dir=self._directory / "profile",
            target=self._project.target_name,
            target_path=self._directory / "target",
            log_path=self._directory / "logs",
            environment=_READ_ONLY if self._compile_only else {},
        ).__enter__()  # dbt is imported while the data is copied
        workdir.write_profile(self._project, self._directory / "profile", self._copied())

    def _copied(self) -> Mapping[str, Any]:
        """Copy the data; what the copy replaces in the dbt target."""
        data = self._directory / "warehouse"
        data.mkdir()
        try:
            scratch = self._original.scratch(data)
        except ConfigError:
            if not self._compile_only:
                raise
            return {}
        self._scratch = scratch.warehouse
        return scratch.dbt_output

    def close(self) -> None:
        """End dbt and remove the folder."""
        worker, self._worker = self._worker, None
        try:
            if worker is not None:
                worker.close()
        finally:
            self._scratch = None
            shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def warehouse(self) -> Warehouse:
        """Reads the scratch copy."""
        if self._scratch is None:
            raise ConnectorError("the sandbox is closed", hint="use it inside its `with` block")
        return self._scratch

    @property
    def manifest(self) -> Manifest:
        """The newest compiled manifest; compiles when there is none yet."""
        return self._manifest or self.compile()

    def compile(self) -> Manifest:
        """Compile the project as it is in the sandbox now.

        Returns:
            Its manifest. A model that does not compile by itself has no compiled code there.

        Raises:
            ConfigError: dbt stopped: the project does not parse, or a reference is broken.
        """
        outcome = self.run(["compile"])
        if not outcome.success and not outcome.results:
            raise ConfigError(
                f"dbt cannot compile the project {self._project.name!r}: {outcome.trouble()}",
                hint="run `dbt compile` in the project",
            )
        self._manifest = Manifest.load(outcome.manifest_path)
        return self._manifest

    def compile_to(self, folder: Path) -> Path:
        """Compile, and put the manifest as a new file of its own into `folder`."""
        self.compile()
        made = Path(mkdtemp(prefix=".manifest-", dir=folder))
        try:
            kept = made.with_suffix(".json")
            shutil.copyfile(self._directory / "target" / "manifest.json", kept)
        finally:
            made.rmdir()
        return kept

    def apply(self, change: ProposedChange) -> None:
        """Make the change's edits in the copy; all of them or none.

        Raises:
            ConfigError: A path leaves the project.
            ConnectorError: A file is no longer as in the edit's `before`.
        """
        if not self._replaced:
            self._manifest_before = self._manifest
        try:
            for edit in change.edits:
                path = self.root / edit.path
                self._replaced.setdefault(path, workdir.apply_edit(edit, self.root))
        except BaseException:
            self.revert()
            raise
        self._manifest = None

    def revert(self) -> None:
        """Undo all edits that were applied."""
        for path, before in self._replaced.items():
            if before is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(before)
        if self._replaced:
            self._manifest = self._manifest_before
        self._replaced.clear()

    def build(self, select: Sequence[str], *, full_refresh: bool = False) -> DbtOutcome:
        """Build what is selected, then run all tests that touch it.

        Unlike `dbt build`, a failing test keeps nothing from being built.

        Args:
            select: dbt selectors, at least one.
            full_refresh: Rebuild incremental models from nothing.

        Returns:
            Results of both, models first; failures are part of it.
        """
        options = [*(f"--exclude-resource-type={t}" for t in _TESTS)]
        if full_refresh:
            options.append("--full-refresh")
        selection = ["--no-write-json", "--select", *select]
        if any(a.materialized == "external" for a in self.manifest.assets.values()):
            selection += ["--exclude", "config.materialized:external"]
        built = self.run(["build", *options, *selection])
        if not built.success and not built.results:
            return built
        tested = self.run(["test", *selection])
        return replace(
            tested,
            success=built.success and tested.success,
            results=(*built.results, *tested.results),
            log=f"{built.log}\n{tested.log}",
        )

    def keep(self, relations: Mapping[str, Relation]) -> Mapping[str, Relation]:
        """Save the rows of tables and views beside them, as they are now.

        Args:
            relations: What to save, by any key.

        Returns:
            Where each was saved, by the same key.

        Raises:
            ConnectorError: dbt could not copy one.
        """
        dialect = self.warehouse.dialect
        kept: dict[str, Relation] = {}
        statements: list[str] = []
        for number, (key, relation) in enumerate(relations.items()):
            copy = Relation(
                database=relation.database, schema=_KEPT_SCHEMA, name=f"before_{number}"
            )
            schema = Relation(database=relation.database, name=_KEPT_SCHEMA)
            target, source = relation_sql(copy, dialect), relation_sql(relation, dialect)
            statements += [
                f"create schema if not exists {relation_sql(schema, dialect)}",
                f"drop table if exists {target}",
                f"create table {target} as select * from {source}",
            ]
            kept[key] = copy
        arguments = json.dumps({"statements": statements})
        command = ["run-operation", "dagster_agent_run", "--no-write-json", "--args", arguments]
        outcome = self.run(command)
        if not outcome.success:
            raise ConnectorError(
                f"the tables cannot be saved before the change: {outcome.trouble()}",
                hint="look at the views among them",
            )
        return kept

    def run(self, args: Sequence[str]) -> DbtOutcome:
        """Run a dbt command in the sandbox; see `DbtWorker.run`."""
        if self._worker is None:
            raise ConnectorError("the sandbox is closed", hint="use it inside its `with` block")
        if self._compile_only and args[0] != "compile":
            raise ValueError(f"dbt {args[0]} in a sandbox without a copy of the data")
        return self._worker.run(args)
