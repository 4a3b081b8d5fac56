"""Scores Claude on the demo's incidents: `python -m tests.evals.live`, with a key in the shell.

Each incident happens to a shop made for it, through the shop's real jobs. No pattern is asked:
Claude gets the evidence alone, and what it suspects is tested in a sandbox, as always. It is told
what the team sees and the asset at the end of the lineage, never the file at fault.

    --rehearse    no key, no request: a script answers "nothing" in Claude's place
    --model ID    another model than the configured default
    names         only these incidents

Exit code 0 when every incident's file was named and the change verified, 1 when not, 2 for usage.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from assets.shop.incidents import INCIDENTS as PLANTED
from assets.shop.incidents import Incident as Planted
from dagster_agent.connectors.chat_models import open_chat_model
from dagster_agent.connectors.chat_models.claude import ClaudeModel
from dagster_agent.investigation import collection
from dagster_agent.investigation.specialists.config import ClaudeConfig
from dagster_agent.investigation.specialists.consult import consult
from dagster_agent.investigation.specialists.consultation import Brief, Consultation
from dagster_agent.investigation.specialists.toolbox import Toolbox
from dagster_agent.model import Incident, Symptom, SymptomKind
from dagster_agent.ports.chat_model import ChatModel
from dagster_agent.response.proving import Proving
from dagster_agent.response.stages import sources_of
from dagster_agent.response.workspace import Workspace
from dagster_agent.settings import Settings
from dagster_agent.testing.scripted_claude import ScriptedClaude, answer

if TYPE_CHECKING:
    from dagster_agent.dbt.manifest import Manifest

INCIDENTS = {planted.name: planted for planted in PLANTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How Claude did on one incident."""

    name: str
    """Of the incident."""
    named: bool
    """The file at fault is in the best suspicion that stands."""
    verified: bool
    """Its change was red before, green after, and broke nothing."""
    consultation: Consultation
    """How it went."""

    @property
    def solved(self) -> bool:
        """Cause and cure."""
        return self.named and self.verified

    def line(self) -> str:
        """For the table."""
        usage = self.consultation.usage
        cost = "?" if usage.cost_usd is None else f"${usage.cost_usd:.3f}"
        marks = f"{'named' if self.named else '-':6} {'verified' if self.verified else '-':9}"
        return (
            f"{self.name:12} {self.consultation.outcome:14} {marks} {usage.turns:3} turns "
            f"{usage.tool_calls:3} calls {cost:>8} {usage.seconds:6.0f} s"
        )


class Printer:
    """A narrator for the terminal."""

    def step(self, what: str, *, why: str, result: str) -> None:
        """One line."""
        sys.stdout.write(f"    {what} -- {result}\n      why: {why}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m tests.evals.live")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--model", default=ClaudeConfig().model)
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if not given.rehearse and not os.environ.get("ANTHROPIC_API_KEY"):
        sys.stderr.write("set ANTHROPIC_API_KEY, or give --rehearse\n")
        return 2
    config = ClaudeConfig(enabled=True, model=given.model)
    if given.here:
        score = _play(given.here, given.names[0], config, _rehearsal if given.rehearse else _live)
        sys.stdout.write(f"\n{score.line()}\n")
        return 0 if score.solved else 1
    return _each(given.names or list(INCIDENTS), config.model, rehearse=given.rehearse)


def _each(names: Sequence[str], model: str, *, rehearse: bool) -> int:
    """A process and a shop for each incident: none suffers from the ones before."""
    unknown = [name for name in names if name not in INCIDENTS]
    if unknown:
        sys.stderr.write(f"no incident {', '.join(unknown)}; there are {', '.join(INCIDENTS)}\n")
        return 2
    lines: list[str] = []
    solved = 0
    for name in names:
        with tempfile.TemporaryDirectory() as home:
            instance = Path(home, "dagster")
            instance.mkdir()
            (instance / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
            places = {"SHOP_HOME": f"{home}/shop", "DAGSTER_HOME": str(instance)}
            command = [sys.executable, "-W", "ignore", "-m", "tests.evals.live", name]
            command += ["--model", model, "--here", home, *(["--rehearse"] if rehearse else [])]
            done = subprocess.run(
                command,
                env={**os.environ, **places},
                stdout=subprocess.PIPE,
                text=True,
                check=False,
            )
        sys.stdout.write(done.stdout)
        solved += done.returncode == 0
        lines.append(done.stdout.rstrip().rpartition("\n")[2] or f"{name:12} failed to run")
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    sys.stdout.write(f"{solved} of {len(lines)} solved by {model}, {datetime.now(UTC):%F}\n")
    return 0 if solved == len(lines) else 1


def _live(config: ClaudeConfig) -> ChatModel:
    return open_chat_model(
        model=config.model,
        platform=config.platform,
        base_url=config.base_url,
        max_retries=config.max_retries,
    )


def _rehearsal(config: ClaudeConfig) -> ChatModel:
    script = ["Seen.", answer({"summary": "Nothing: this is a rehearsal.", "suspicions": []})]
    return ClaudeModel(ScriptedClaude(script).client, model=config.model)


def _play(
    home: Path, name: str, config: ClaudeConfig, open_model: Callable[[ClaudeConfig], ChatModel]
) -> Score:
    """Let one incident happen in this process's shop, and ask Claude."""
    from assets.shop.polling import Polling
    from assets.shop.workspace import open_workspace

    logging.disable(logging.CRITICAL)  # Dagster's own; the narrator tells what matters
    planted, shop = INCIDENTS[name], open_workspace()
    polling = Polling.on(home / "dagster", say=lambda line: None)
    polling.let_a_day_pass(datetime.now(UTC).date() - timedelta(days=1))
    planted.happen(polling, shop)
    sys.stdout.write(f"\n{planted.title}\n")
    with Workspace.open(
        Settings(), state_directory=home / "agent", project_dir=shop.dbt_project
    ) as workspace:
        return _score(workspace, planted, config, open_model(config))


def _score(workspace: Workspace, planted: Planted, config: ClaudeConfig, model: ChatModel) -> Score:
    now, narrator = datetime.now(UTC), Printer()
    focus = _end_of_lineage(workspace.manifest, planted.file)
    sources = sources_of(workspace, narrator=narrator, now=now)
    dossier = collection.collect(_incident(planted, focus, now), focus, sources, now=now)
    codebase = workspace.codebase
    found = consult(
        Brief(dossier=dossier, tested=(), codebase=codebase),
        model=model,
        toolbox=Toolbox(
            codebase=codebase,
            warehouse=workspace.warehouse,
            dossier=dossier,
            now=now,
            secrets=workspace.secrets,
        ),
        config=config,
        narrator=narrator,
        messages=tuple,
        now=now,
    )
    proving = Proving(
        workspace=workspace,
        investigation_id="eval",
        dossier=dossier,
        narrator=narrator,
        now=now,
    )
    tested = proving.test(found.hypotheses)
    best = next((t for t in tested if t.verification and t.verification.verified), None)
    best = best or next(iter(tested), None)
    return Score(
        name=planted.name,
        named=best is not None and planted.file in best.hypothesis.files,
        verified=bool(best and best.verification and best.verification.verified),
        consultation=found,
    )


def _end_of_lineage(manifest: Manifest, path: str) -> str:
    """What people look at: the asset furthest downstream of the file at fault."""
    fault = next(a.unique_id for a in manifest.assets.values() if a.path == path)
    return (fault, *manifest.downstream(fault))[-1]


def _incident(planted: Planted, focus: str, now: datetime) -> Incident:
    symptom = Symptom(
        kind=SymptomKind.QUESTION,
        headline=planted.seen,
        observed_at=now,
        asset=focus,
        detail=planted.seen,
    )
    return Incident(
        id="I-eval",
        fingerprint=planted.name,
        title=planted.seen,
        asset=focus,
        symptoms=(symptom,),
        opened_at=now,
        updated_at=now,
    )


if __name__ == "__main__":
    sys.exit(main())
