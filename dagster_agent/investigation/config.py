"""How far an investigation may go."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class InvestigationConfig(BaseModel):
    """Limits of one investigation; each is a ceiling, not a target."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_upstream_assets: int = Field(default=40, ge=1)
    """Assets upstream of the suspect whose rows are accounted, nearest first."""

    max_commits: int = Field(default=30, ge=1)
    """Commits looked at per suspect file, newest first."""

    max_hypotheses_tested: int = Field(default=3, ge=1)
    """Hypotheses tried in the sandbox, most likely first."""

    max_minutes: float = Field(default=20.0, gt=0)
    """Wall-clock minutes after which no further hypothesis is tried."""
