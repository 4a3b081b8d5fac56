"""How far the agent may act by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeInt

from dagster_agent.autonomy.policy import Tier, action
from dagster_agent.errors import ConfigError


def _tier(value: Any) -> Any:
    """Tiers may be written by number or by name: `3` or `propose-and-wait`."""
    if isinstance(value, str) and not value.isdigit():
        names = {tier.label: tier for tier in Tier}
        if value not in names:
            raise ValueError(f"unknown tier {value!r}; known: {', '.join(names)}, or 1 to 4")
        return names[value]
    return value


def _known_action(name: str) -> str:
    try:
        return action(name).id
    except ConfigError as error:
        # a typo would leave the default in force without a word
        raise ValueError(str(error)) from None


_ActionId = Annotated[str, AfterValidator(_known_action)]


class AutonomyConfig(BaseModel):
    """What the agent may do without asking. `autonomy.policy.ACTIONS` holds the defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paused: bool = False
    """True stops every action, approved or not; detection and investigation go on."""

    tiers: Mapping[
        _ActionId, Annotated[Tier, BeforeValidator(_tier, json_schema_input_type=int | str)]
    ] = Field(default_factory=lambda: dict[str, Tier]())
    """Tier by action, where it shall differ from the default: 1 `do`, 2 `do-and-notify`,
    3 `propose-and-wait`, 4 `alert-only`."""

    max_per_hour: Mapping[_ActionId, NonNegativeInt] = Field(
        default_factory=lambda: dict[str, int]()
    )
    """Most actions of a kind within sixty minutes, where it shall differ from the default."""

    max_dollars_per_day: float = Field(default=25.0, gt=0)
    """Most that actions which cost money (asking Claude) may cost within 24 hours, in US dollars.
    """

    lease_minutes: int = Field(default=15, ge=1)
    """How long nobody else may act on the same subject, should the process die on the way."""

    def tier(self, action_id: str) -> Tier:
        """The tier in force; raises ConfigError for an unknown action."""
        return self.tiers.get(action_id, action(action_id).tier)

    def limit(self, action_id: str) -> int:
        """Actions per hour in force; raises ConfigError for an unknown action."""
        return self.max_per_hour.get(action_id, action(action_id).max_per_hour)
