"""`Dimension`: one way in which data can be good, as a share or an age."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dagster_agent.dbt.manifest import DbtTest
from dagster_agent.model import Asset, Detection, DetectionStatus, Severity
from dagster_agent.quality.config import QualityConfig
from dagster_agent.quality.freshness.config import FreshnessConfig
from dagster_agent.quality.measuring import Answers
from dagster_agent.quality.table import PromisedTable, Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """All that a dimension may look at."""

    table: PromisedTable
    """The asset's table as it is."""
    around: Surroundings
    """The project and its other tables."""
    tests: Sequence[DbtTest]
    """dbt tests that are written on the asset."""
    config: QualityConfig
    """Targets and rules, with what the asset's meta says."""
    now: datetime
    """UTC."""
    truths: Sequence[Detection] = ()
    """Newest reconciliation results of the asset."""
    freshness: FreshnessConfig = field(default_factory=FreshnessConfig)
    """Event timestamp, target and alert, with what the asset's meta says."""

    @property
    def asset(self) -> Asset:
        """The asset that is judged."""
        return self.table.asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One promise of a dimension with its numbers."""

    says: str
    """Such as `order_id is filled`."""
    examined: int
    """Rows it is about."""
    broken: int
    """Rows that break it."""

    @property
    def share(self) -> float:
        """Share of the rows that keep it; of no rows it is 1 and must not be told."""
        return 1 - self.broken / self.examined if self.examined else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionResult:
    """What one dimension says of one asset at one moment."""

    dimension: str
    """Id of the dimension."""
    status: DetectionStatus
    """UNTRAINED where there is nothing to judge by."""
    headline: str
    """One sentence with the deciding numbers."""
    severity: Severity = Severity.ERROR
    """ERROR below the alert threshold, WARN between it and the target."""
    value: float | None = None
    """The share, 0 to 1, or the age in hours; None where it was not measured."""
    target: float | None = None
    """In the same unit."""
    alert: float | None = None
    """In the same unit."""
    fulfilment: float | None = None
    """How much of the target is reached, 0 to 1; 1 at the target and beyond it."""
    parts: tuple[Part, ...] = ()
    """The promises it is made of, worst first."""
    metrics: Mapping[str, float] = field(default_factory=lambda: dict[str, float]())
    """Further numbers by name."""
    declared: bool = True
    """False where nothing asks for it: then it is mentioned and not told by itself."""
    hint: str = ""
    """What to do, or what to declare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a dimension has to know, and how it judges the answers."""

    asks: tuple[str, ...]
    """SQL of one value each, over the rows of the asset's table; see `measuring.ask_all`."""
    judge: Callable[[Answers], DimensionResult]
    """From the answers to the result. May raise a DagsterAgentError: it could not be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A member of the catalogue in `dimensions/`."""

    id: str
    """Public id, the file's name with dashes."""
    plan: Callable[[Subject], Plan]
    """What it asks. May raise a ConfigError: a declaration is wrong."""


def dimension(
    *,
    id: str,  # noqa: A002 - the public word for it
) -> Callable[[Callable[[Subject], Plan]], Dimension]:
    """Make a dimension of a function; registers nothing."""

    def decorate(plan: Callable[[Subject], Plan]) -> Dimension:
        return Dimension(id=id, plan=plan)

    return decorate


def settled(result: DimensionResult) -> Plan:
    """The plan of what is known without asking."""

    def judge(answers: Answers) -> DimensionResult:  # noqa: ARG001 - nothing was asked
        return result

    return Plan(asks=(), judge=judge)


def undeclared(dimension_id: str, subject: Subject, hint: str, *, declared: bool = False) -> Plan:
    """The plan of a dimension that cannot be judged; `hint` says what to declare."""
    return settled(
        DimensionResult(
            dimension=dimension_id,
            status=DetectionStatus.UNTRAINED,
            headline=f"the {dimension_id} of {subject.asset.name} cannot be judged",
            declared=declared,
            hint=hint,
        )
    )
