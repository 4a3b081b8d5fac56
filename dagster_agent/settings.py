"""`Settings`: the one place that composes every feature's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dagster_agent.anomaly.config import AnomalyConfig
from dagster_agent.anomaly.profiling_config import ProfilingConfig
from dagster_agent.autonomy.config import AutonomyConfig
from dagster_agent.connectors.warehouses.config import WarehouseConfig
from dagster_agent.errors import ConfigError
from dagster_agent.incidents.config import IncidentsConfig
from dagster_agent.investigation.config import InvestigationConfig
from dagster_agent.investigation.specialists.config import ClaudeConfig
from dagster_agent.model import Asset
from dagster_agent.quality.config import QualityConfig
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.silence.config import SilenceConfig
from dagster_agent.reconciliation.config import ReconciliationConfig
from dagster_agent.reconciliation.entry import ReconcileEntry
from dagster_agent.schema_drift.config import SchemaDriftConfig


class StateConfig(BaseModel):
    """Where the agent remembers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    """SQLAlchemy URL of the state database. None: SQLite in `directory`."""

    directory: Path | None = None
    """Folder of the SQLite file and caches. None: `dagster_agent` below DAGSTER_HOME."""

    retention_days: float = Field(default=90.0, ge=1)
    """Days after which superseded check results, old metric points and the notes of finished
    investigations are removed. Findings, decisions, incidents and the audit log always stay."""

    def url_in(self, directory: Path) -> str:
        """The database's URL, where files are kept in `directory`."""
        return self.url or f"sqlite:///{directory.resolve() / 'state.db'}"


class CodeHostConfig(BaseModel):
    """Where pull requests are opened."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = "local"
    """`local`: the branch is pushed to the git remote, the pull request is a document beside it."""

    remote: str = "origin"
    """Git remote that branches are pushed to."""

    base_branch: str | None = None
    """Branch to merge into. None: the remote's default branch."""

    directory: Path | None = None
    """Where `local` keeps its documents. None: beside the bare repository, else below the state."""


class UiConfig(BaseModel):
    """What links into the Dagster UI need to know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    location_name: str | None = None
    """Name of this code location; runs that Dagster launches know it themselves."""


class SensorConfig(BaseModel):
    """How the agent watches runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval_seconds: int = Field(default=30, ge=5)
    """Polling interval: a failure is known within one of these."""

    running_by_default: bool = True
    """Whether the sensor starts by itself when the location is loaded."""


class AssetSettings(BaseModel):
    """`meta: dagster_agent:` of a dbt model, seed, snapshot or source table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: str | None = None
    """Who is asked; otherwise dbt's own owner or group."""

    critical: bool = False
    """Whether people decide by it; shown with its findings."""

    pii: tuple[str, ...] = ()
    """Columns whose values never leave the warehouse, whatever they are called."""

    reconcile: tuple[ReconcileEntry, ...] = ()
    """Tables that it must agree with, besides what is inferred from lineage."""

    expected_losses: Mapping[str, float] = Field(default_factory=lambda: dict[str, float]())
    """Largest share of rows, by name of the joined table, that an inner join to it may drop:
    `{planes: 0.2}` says that the loss is meant."""

    reconciliation: Mapping[str, Any] = Field(default_factory=dict)
    """Fields of `Settings.reconciliation` that are different for this asset."""

    schema_drift: Mapping[str, Any] = Field(default_factory=dict)
    """Fields of `Settings.schema_drift` that are different for this asset."""

    anomaly: Mapping[str, Any] = Field(default_factory=dict)
    """Fields of `Settings.anomaly` that are different for this asset."""

    profiling: Mapping[str, Any] = Field(default_factory=dict)
    """Fields of `Settings.profiling` that are different for this asset."""

    freshness: Mapping[str, Any] = Field(default_factory=dict)
    """Fields of `Settings.freshness` that are different for this asset."""

    quality: Mapping[str, Any] = Field(default_factory=dict)
    """Fields of `Settings.quality` that are different for this asset."""

    invariants: tuple[str | Mapping[str, Any], ...] = ()
    """What must always hold, in words or as a form: see `docs/quality.md`."""

    expectations: tuple[Mapping[str, Any], ...] = ()
    """Great Expectations, `{type: expect_..., kwargs: {...}}`, measured with the quality."""

    @classmethod
    def of(cls, asset: Asset) -> AssetSettings:
        """Read from an asset's meta.

        Raises:
            ConfigError: A field is unknown or wrong; names the asset, the field and the value.
        """
        given: object = asset.meta.get("dagster_agent")
        where = f"meta.dagster_agent of {asset.name}"
        return _validated(
            cls,
            {} if given is None else given,
            f"in {where}: ",
            hint=f"mend it in the yml beside {asset.path}",
        )


class Settings(BaseModel):
    """Everything a customer can set; the defaults work with no configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = Field(default="agent", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Prefix of every asset, check, job and sensor that is added."""

    placement: Literal["embedded", "own_location"] = "embedded"
    """Where the checks live: `embedded` beside the dbt assets, where Dagster plans them in every
    run of these; `own_location` in a code location of their own, which no run of yours sees."""

    project_dir: Path | None = None
    """dbt project; None: as the dbt assets tell it."""

    profiles_dir: Path | None = None
    """Folder of profiles.yml; None: as the dbt assets tell it, then dbt's own search order."""

    target: str | None = None
    """dbt target; None: the profile's default."""

    assets: tuple[str, ...] = ()
    """Asset keys (`a/b/c`) to watch; empty: every dbt asset of the location."""

    exclude: tuple[str, ...] = ()
    """Asset keys (`a/b/c`) left alone."""

    reconciliation: ReconciliationConfig = ReconciliationConfig()
    """Do two tables agree?"""

    schema_drift: SchemaDriftConfig = SchemaDriftConfig()
    """Did a schema change, and does it matter?"""

    anomaly: AnomalyConfig = AnomalyConfig()
    """Is this profile unusual?"""

    profiling: ProfilingConfig = ProfilingConfig()
    """What is measured of a table, and what it may cost?"""

    freshness: FreshnessConfig = FreshnessConfig()
    """Is the data recent enough?"""

    quality: QualityConfig = QualityConfig()
    """Does the asset keep its promises?"""

    silence: SilenceConfig = SilenceConfig()
    """What goes wrong without anything failing?"""

    incidents: IncidentsConfig = IncidentsConfig()
    """How symptoms become incidents."""

    investigation: InvestigationConfig = InvestigationConfig()
    """How far an investigation may go."""

    claude: ClaudeConfig = ClaudeConfig()
    """Whether Claude is asked, and what it may cost."""

    autonomy: AutonomyConfig = AutonomyConfig()
    """How far the agent may act by itself."""

    warehouse: WarehouseConfig = WarehouseConfig()
    """Waiting times and limits of reading the warehouse."""

    state: StateConfig = StateConfig()
    """Where the agent remembers."""

    code_host: CodeHostConfig = CodeHostConfig()
    """Where pull requests are opened."""

    sensor: SensorConfig = SensorConfig()
    """How the agent watches runs."""

    ui: UiConfig = UiConfig()
    """What links into the Dagster UI need."""

    @classmethod
    def parse(cls, values: Settings | Mapping[str, Any] | None) -> Settings:
        """Validate settings given as a mapping.

        Raises:
            ConfigError: A field is unknown or wrong; names it, the value and what is allowed.
        """
        if isinstance(values, Settings):
            return values
        return _validated(cls, dict(values or {}), "", hint="see docs/settings.md for every field")

    def for_asset(self, asset: Asset) -> Settings:
        """These settings with what the asset's own meta says in their place.

        Raises:
            ConfigError: The asset's meta is wrong.
        """
        own = AssetSettings.of(asset)
        changed: dict[str, BaseModel] = {}
        for room in _ROOMS:
            overlay: Mapping[str, Any] = getattr(own, room)
            if overlay:
                base: BaseModel = getattr(self, room)
                merged = _overlaid(base.model_dump(exclude_unset=True), overlay)
                where = f"in meta.dagster_agent.{room} of {asset.name}: "
                changed[room] = _validated(
                    type(base), merged, where, hint=f"mend it in the yml beside {asset.path}"
                )
        return self.model_copy(update=changed)


M = TypeVar("M", bound=BaseModel)
_ROOMS = ("reconciliation", "schema_drift", "anomaly", "profiling", "freshness", "quality")
"""Fields of the settings that an asset's own meta may overlay."""


def _overlaid(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """The overlay's values in place of the base's, group by group; lists are replaced."""
    merged = dict(base)
    for name, value in overlay.items():
        below = merged.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = _overlaid(cast("Mapping[str, Any]", below), cast("Mapping[str, Any]", value))
        merged[name] = value
    return merged


def _validated(model: type[M], values: object, where: str, *, hint: str) -> M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(_explain(model, problem) for problem in error.errors())
        raise ConfigError(f"{where}{problems}", hint=hint) from None


def _explain(model: type[BaseModel], problem: Any) -> str:
    """One pydantic problem as a sentence with the field, the value and the allowed names."""
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        owner: Any = model
        for part in problem["loc"][:-1]:
            field = getattr(owner, "model_fields", {}).get(part)
            owner = field.annotation if field is not None else None
        allowed = ", ".join(sorted(getattr(owner, "model_fields", {})))
        return f"unknown setting {where!r}" + (f" (allowed: {allowed})" if allowed else "")
    return f"setting {where!r} is {problem['input']!r}: {problem['msg']}"
