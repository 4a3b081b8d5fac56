"""Station two: let every bug pattern read the evidence and say what it suspects."""

from __future__ import annotations

from dataclasses import replace

from dagster_agent.investigation.bug_pattern import bug_patterns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import UNTESTED_CONFIDENCE_CAP, Hypothesis
from dagster_agent.ports import Narrator


def diagnose(dossier: Dossier, codebase: Codebase, narrator: Narrator) -> tuple[Hypothesis, ...]:
    """Hypotheses of all patterns, likeliest first, then nearest to the focus.

    An untested hypothesis never passes `UNTESTED_CONFIDENCE_CAP`, whatever its pattern claims.
    """
    distance = {uid: index for index, uid in enumerate(dossier.scope)}
    found: list[Hypothesis] = []
    for pattern in bug_patterns():
        for hypothesis in pattern.propose(dossier, codebase):
            capped = min(hypothesis.confidence, UNTESTED_CONFIDENCE_CAP)
            found.append(replace(hypothesis, confidence=capped))
    found.sort(key=lambda h: (-h.confidence, distance.get(h.asset, len(distance)), h.pattern))
    for hypothesis in found:
        narrator.step(
            f"suspect {hypothesis.pattern} ({hypothesis.confidence:.2f}, untested)",
            why=hypothesis.mechanism,
            result=f"would be refuted if {hypothesis.refuted_by}",
        )
    if not found:
        narrator.step(
            "compared the evidence with every bug pattern",
            why="a known mechanism can be tested at once",
            result="none of them matches",
        )
    return tuple(found)
