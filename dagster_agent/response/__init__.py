"""The flow of one incident, strung together: detection, intake, investigation, decision.

This room holds no judgement of its own; each station's logic lives in the room of its name.
"""

from dagster_agent.response.contract import findings_json
from dagster_agent.response.decisions import accept_baseline, decide
from dagster_agent.response.detection import (
    ENGINES,
    Engine,
    detect,
    detect_all,
    watched_assets,
)
from dagster_agent.response.inbox import Inbox, inbox
from dagster_agent.response.intake import symptoms_of, take_in
from dagster_agent.response.proving import worst
from dagster_agent.response.rendering import render_finding
from dagster_agent.response.requests import InvestigationRequest, asset_in_question
from dagster_agent.response.stages import investigate
from dagster_agent.response.sweep import Sweep, sweep
from dagster_agent.response.workspace import Workspace

__all__ = [
    "ENGINES",
    "Engine",
    "Inbox",
    "InvestigationRequest",
    "Sweep",
    "Workspace",
    "accept_baseline",
    "asset_in_question",
    "decide",
    "detect",
    "detect_all",
    "findings_json",
    "inbox",
    "investigate",
    "render_finding",
    "sweep",
    "symptoms_of",
    "take_in",
    "watched_assets",
    "worst",
]
