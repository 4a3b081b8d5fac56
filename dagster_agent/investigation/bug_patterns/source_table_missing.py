"""A source table is gone: nothing in the dbt project can bring it back."""

from __future__ import annotations

from collections.abc import Iterator

from dagster_agent.investigation.bug_pattern import bug_pattern
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.model import Asset, Evidence, Hypothesis, Question, Recheck, ResultTable

_PRIOR = 0.75
"""It was accepted before, it is not there now, and models read it."""


@bug_pattern(id="source-table-missing")
def source_table_missing(dossier: Dossier, codebase: Codebase) -> Iterator[Hypothesis]:
    """A source table that models read was dropped, renamed or moved.

    Seen as: the table has an accepted schema and is not there any more; every model that reads it
    fails at its next run.
    Not this pattern: a table that was never seen, a warehouse that did not answer.
    Refuted if: the models that read it can be built.
    """
    for uid in dossier.scope:
        asset = codebase.manifest.asset(uid)
        accepted = dossier.accepted.get(uid)
        if asset.resource_type != "source" or accepted is None or uid in dossier.schemas:
            continue
        yield _hypothesis(asset, codebase)


def _hypothesis(source: Asset, codebase: Codebase) -> Hypothesis:
    manifest = codebase.manifest
    readers = manifest.downstream(source.unique_id)
    direct = [manifest.asset(uid).name for uid in manifest.children(source.unique_id)]
    exposures = manifest.exposures_of([source.unique_id])
    told = f"{source.relation} is gone; {len(readers)} models depend on it"
    if exposures:
        told += f", and {', '.join(e.name for e in exposures)}"
    return Hypothesis(
        pattern="source-table-missing",
        asset=source.unique_id,
        mechanism=f"{told}. {', '.join(direct)} read it directly and fail at their next run.",
        refuted_by="the models that read it can be built",
        confidence=_PRIOR,
        evidence=(
            Evidence(
                kind="schema",
                statement=told,
                result=ResultTable(
                    columns=("affected", "kind"),
                    rows=(
                        *((manifest.asset(uid).name, "model") for uid in readers),
                        *((exposure.name, "exposure") for exposure in exposures),
                    ),
                ),
            ),
        ),
        files=(source.path,),
        recheck=Recheck.BUILD,
        data_cause=True,
        question=Question(
            text=f"Who dropped or moved {source.relation}, and is it coming back?",
            options=(
                "it was a mistake: its owner restores it",
                "it has moved: point the source to its new place",
                "it is gone for good: retire the models that read it",
            ),
            why="nothing in the dbt project can bring a source table back",
        ),
    )
