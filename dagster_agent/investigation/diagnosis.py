"""Station two: let every bug pattern read the evidence and say what it suspects."""

from __future__ import annotations

from dataclasses import replace

from dagster_agent.investigation.bug_pattern import bug_patterns
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import UNTESTED_CONFIDENCE_CAP, Hypothesis
from dagster_agent.ports import Narrator


def _to_the_point(found: list[Hypothesis], dossier: Dossier) -> list[Hypothesis]:
    """Only what can explain the failed checks, where these ask for certain patterns.

    Several things can be wrong at once. A sum over two currencies is not explained by rows that a
    filter upstream loses, however sure that is.
    """
    checks = {symptom.check for symptom in dossier.incident.symptoms}
    asked = {p.id for p in bug_patterns() if p.answers & checks}
    claimed = {check for p in bug_patterns() for check in p.answers}
    if not asked or not checks <= claimed:
        return found
    return [h for h in found if h.pattern in asked] or found


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
    found = _to_the_point(found, dossier)
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
