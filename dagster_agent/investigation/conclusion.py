"""Station four: write the report, each claim with its evidence and nothing that was not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dagster_agent.dbt.manifest import Manifest
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.investigation.proof import Tested
from dagster_agent.model import (
    BlastRadius,
    Cause,
    Detection,
    DetectionStatus,
    Evidence,
    Hypothesis,
    HypothesisStatus,
    Question,
    Recheck,
    Report,
    SymptomKind,
    Verdict,
    Verification,
)

NARROWED_AT_LEAST = 0.5
"""An untested hypothesis below this is no lead worth a person's time."""


@dataclass(slots=True)
class _Exhibits:
    """Numbers evidence in the order in which the report tells it."""

    listed: list[Evidence] = field(default_factory=lambda: list[Evidence]())

    def add(self, evidence: Evidence) -> str:
        numbered = replace(evidence, id=f"E{len(self.listed) + 1}")
        self.listed.append(numbered)
        return numbered.id


def conclude(
    dossier: Dossier,
    tested: Sequence[Tested],
    manifest: Manifest,
    *,
    started_at: datetime,
    now: datetime,
) -> Report:
    """The report of an investigation.

    Args:
        dossier: What was collected.
        tested: Hypotheses with their tests, likeliest first.
        manifest: For names and for who reads the affected models.
        started_at: When the investigation began, UTC.
        now: UTC.
    """
    exhibits = _Exhibits()
    best = _best(tested)
    verdict, confidence = _verdict(dossier, best)
    if best is None:
        _tell_trouble(dossier, exhibits)
    else:
        _tell_case(best, exhibits)
    ruled_out = tuple(_ruled_out(dossier, best, manifest, exhibits))
    hypothesis = best.hypothesis if best else None
    verification = best.verification if best else None
    return Report(
        incident_id=dossier.incident.id,
        asset=hypothesis.asset if hypothesis else dossier.focus,
        verdict=verdict,
        confidence=confidence,
        headline=_headline(dossier, hypothesis, verdict, manifest),
        evidence=tuple(exhibits.listed),
        started_at=started_at,
        finished_at=now,
        cause=_cause(hypothesis) if hypothesis else None,
        ruled_out=ruled_out,
        blast_radius=_blast_radius(hypothesis.asset, manifest) if hypothesis else None,
        change=hypothesis.change if hypothesis else None,
        verification=verification,
        question=_question(dossier, best, verdict),
    )


def _best(tested: Sequence[Tested]) -> Tested | None:
    """The confirmed one, else the likeliest that was not refuted and is worth telling."""
    for candidate in tested:
        if candidate.hypothesis.status is HypothesisStatus.CONFIRMED:
            return candidate
    standing = [t for t in tested if t.hypothesis.status is HypothesisStatus.UNTESTED]
    worth = [t for t in standing if t.hypothesis.confidence >= NARROWED_AT_LEAST]
    return worth[0] if worth else None


def _failures(dossier: Dossier) -> list[Detection]:
    return [d for d in dossier.detections if d.status is DetectionStatus.FAILED]


def _unjudged(dossier: Dossier) -> list[Detection]:
    return [d for d in dossier.detections if d.status is DetectionStatus.COULD_NOT_RUN]


def _verdict(dossier: Dossier, best: Tested | None) -> tuple[Verdict, float]:
    if best is not None:
        confirmed = best.hypothesis.status is HypothesisStatus.CONFIRMED
        return (
            Verdict.CAUSE_FOUND if confirmed else Verdict.NARROWED,
            best.hypothesis.confidence,
        )
    asked = all(s.kind is SymptomKind.QUESTION for s in dossier.incident.symptoms)
    if asked and not _failures(dossier):
        if _unjudged(dossier) or not dossier.detections:
            return Verdict.CANNOT_TELL, 0.0
        return Verdict.HEALTHY, 0.8
    return Verdict.CANNOT_TELL, 0.0


def _tell_case(best: Tested, exhibits: _Exhibits) -> None:
    for evidence in best.hypothesis.evidence:
        exhibits.add(evidence)
    if best.verification is not None:
        exhibits.add(_counterfactual(best.verification))


def _counterfactual(verification: Verification) -> Evidence:
    last = verification.steps[-1] if verification.steps else None
    if verification.verified:
        last = verification.steps[-1]
        recheck = next((s for s in verification.steps if s.name == "recheck"), last)
        trial = "with the change" if recheck.name == "recheck" else "built anew, nothing changed"
        statement = f"{trial}, in a sandbox: {recheck.detail}"
        if verification.tests_passed:
            statement += f"; {verification.tests_passed} dbt tests pass, none newly fails"
        statement += f" ({verification.seconds:.1f} s)"
    elif verification.tests_failed:
        names = ", ".join(verification.tests_failed)
        statement = f"with the change, in a sandbox, these dbt tests newly fail: {names}"
    else:
        statement = f"not verified: {last.name}: {last.detail}" if last else "not verified"
    return Evidence(kind="counterfactual", statement=statement, result=verification.after)


def _tell_trouble(dossier: Dossier, exhibits: _Exhibits) -> None:
    symptoms = {
        s.headline: s for s in dossier.incident.symptoms if s.kind is not SymptomKind.QUESTION
    }
    for headline, symptom in list(symptoms.items())[:5]:
        source = f"run {symptom.run_id}" if symptom.run_id else None
        exhibits.add(Evidence(kind="run", statement=headline, source=source))
    told = {d.headline: d for d in (*_failures(dossier), *_unjudged(dossier))}
    for detection in [d for d in told.values() if d.headline not in symptoms][:8]:
        evidence = detection.evidence[0] if detection.evidence else None
        exhibits.add(
            Evidence(
                kind="detection",
                statement=detection.headline,
                query=evidence.query if evidence else None,
                result=detection.sample,
            )
        )
    if dossier.commits:
        newest = dossier.commits[0]
        exhibits.add(
            Evidence(
                kind="timeline",
                statement=f"newest of {len(dossier.commits)} commits to files in scope: "
                f"{newest.sha[:7]} of {newest.at:%Y-%m-%d %H:%M} UTC",
                source=newest.sha,
            )
        )


def _ruled_out(
    dossier: Dossier, best: Tested | None, manifest: Manifest, exhibits: _Exhibits
) -> Iterator[str]:
    """What was looked at and found in order, each with the number of its evidence."""
    sources = [d for d in dossier.detections if manifest.asset(d.asset).resource_type == "source"]
    for topic, engine in (("the load", "anomaly"), ("a schema change", "schema-drift")):
        judged = [d for d in sources if d.detector.startswith(engine)]
        healthy = [d for d in judged if d.status is DetectionStatus.PASSED]
        if judged and len(healthy) == len(judged):
            statement = f"{len(healthy)} of {len(judged)} sources in order: {healthy[0].headline}"
            number = exhibits.add(Evidence(kind=engine, statement=statement))
            yield f"{topic} ({number})"
    if best is not None and best.hypothesis.recheck is Recheck.RECONCILIATION:
        filters = [
            step
            for account in dossier.accounts
            if account.asset == best.hypothesis.asset
            for scope in account.scopes
            for step in scope.steps
            if step.kind == "where"
        ]
        if not any(step.lost for step in filters):
            yield "a filter (E1: no WHERE of this model drops a row)"


def _cause(hypothesis: Hypothesis) -> Cause:
    return Cause(
        files=hypothesis.files,
        mechanism=hypothesis.mechanism,
        pattern=hypothesis.pattern,
        line=hypothesis.line,
        commit=hypothesis.commit,
    )


def _headline(
    dossier: Dossier, hypothesis: Hypothesis | None, verdict: Verdict, manifest: Manifest
) -> str:
    about = manifest.asset(dossier.focus).name if dossier.focus else "the project"
    if verdict is Verdict.HEALTHY:
        return (
            f"{about} is healthy: {len(dossier.detections)} checks on it and upstream are in order"
        )
    failures = _failures(dossier)
    if hypothesis is not None:
        own = [d for d in failures if d.asset == hypothesis.asset]
        return own[0].headline if own else hypothesis.mechanism
    if failures and dossier.incident.asset is None:
        return failures[0].headline
    return dossier.incident.title


def _blast_radius(asset: str, manifest: Manifest) -> BlastRadius:
    models = sorted({asset, *manifest.downstream(asset)})
    exposures = manifest.exposures_of(models)
    named = tuple(f"{e.name} ({e.owner})" if e.owner else e.name for e in exposures)
    told = f"{len(models)} model{'s' if len(models) != 1 else ''}"
    if named:
        told += ", exposure " + ", ".join(named)
    return BlastRadius(models=tuple(models), exposures=named, statement=told)


def _question(dossier: Dossier, best: Tested | None, verdict: Verdict) -> Question | None:
    if best is not None and best.hypothesis.question is not None:
        return best.hypothesis.question
    if verdict in (Verdict.HEALTHY, Verdict.CAUSE_FOUND):
        return None
    if best is not None and best.verification is not None and best.verification.tests_failed:
        names = ", ".join(best.verification.tests_failed)
        return Question(
            text=f"The change mends it, and {names} then fails. Which one is right?",
            options=(
                "the change is right: relax the test and take it",
                "the test is right: what the change brings back is meant to stay out",
            ),
            why="the test and the change contradict each other; only the owner knows what is meant",
        )
    if best is not None:
        return Question(
            text=f"Is this intended: {best.hypothesis.mechanism}",
            options=("no, mend it", "yes, it is meant like this"),
            why="it could not be proved in a sandbox",
        )
    return Question(
        text=f"What changed around {dossier.incident.opened_at:%Y-%m-%d %H:%M} UTC?",
        options=("investigate again with a hint", "it is expected, close it"),
        why="no known mechanism matches the evidence",
    )
