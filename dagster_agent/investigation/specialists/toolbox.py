"""`Toolbox`: the tools of one consultation, each call checked, narrated, redacted and bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from dagster_agent.errors import DagsterAgentError
from dagster_agent.investigation.codebase import Codebase
from dagster_agent.investigation.dossier import Dossier
from dagster_agent.investigation.specialists.envelope import envelope, plain_words, visible
from dagster_agent.investigation.specialists.proposal import Proposal
from dagster_agent.investigation.specialists.tool import Bench, Tool, ToolOutput, tools
from dagster_agent.model import ResultTable
from dagster_agent.ports import Narrator, Warehouse
from dagster_agent.ports.chat_model import ToolAnswer, ToolCall, ToolSpec
from dagster_agent.privacy.redaction import redact

RESULT_CHARACTERS = 12_000
"""Most characters of one result's data."""
ALL_CHARACTERS = 240_000
"""Most characters of all results of a consultation together."""
_ERROR_CHARACTERS = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """A call that gave something, for the report."""

    id: str
    """`T1`, `T2`, ...: the model cites calls by it."""
    tool: str
    """Name of the tool."""
    evidence: str
    """`Evidence.kind` of what it shows."""
    arguments: str
    """Its arguments without the reason, as JSON."""
    summary: str
    """What it found, in one line."""
    query: str | None = None
    """The SQL that was run."""
    table: ResultTable | None = None
    """Its masked result."""


class Toolbox:
    """Holds what was proposed and shown; made anew for each consultation.

    Args:
        codebase: Code and history.
        warehouse: Data.
        dossier: What was collected.
        now: UTC.
        secrets: Values that must never leave; see `privacy.redaction.known_secrets`.
    """

    def __init__(
        self,
        *,
        codebase: Codebase,
        warehouse: Warehouse,
        dossier: Dossier,
        now: datetime,
        secrets: Sequence[str] = (),
    ) -> None:
        self._bench = Bench(
            codebase=codebase,
            warehouse=warehouse,
            dossier=dossier,
            now=now,
            secrets=tuple(secrets),
        )
        self._tools = {tool.name: tool for tool in tools()}
        self._characters = 0
        self.records: dict[str, CallRecord] = {}
        """Calls that gave something, by id, in order."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must never leave."""
        return self._bench.secrets

    @property
    def proposals(self) -> Mapping[str, Proposal]:
        """What was proposed, by id, in order."""
        return self._bench.proposals

    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools as the model is told of them, always in one order."""
        return tuple(
            ToolSpec(
                name=tool.name,
                description=tool.description,
                schema=tool.arguments.model_json_schema(),
            )
            for tool in self._tools.values()
        )

    def call(self, call: ToolCall, narrator: Narrator) -> ToolAnswer:
        """Run a tool, or say what is wrong with the call. Never raises."""
        number = f"T{len(self.records) + 1}"
        tool = self._tools.get(call.name)
        if tool is None:
            known = ", ".join(self._tools)
            return self._failed(call, f"there is no tool {call.name!r} (known: {known})", narrator)
        if self._characters >= ALL_CHARACTERS:
            text = "no more results can be shown: answer with what you have"
            return self._failed(call, text, narrator)
        try:
            arguments = tool.arguments.model_validate(call.arguments)
            output = tool.run(arguments, self._bench)
        except ValidationError as error:
            return self._failed(call, _problems(error), narrator)
        except DagsterAgentError as error:
            return self._failed(call, str(error), narrator)
        except Exception as error:  # a fault of a tool must not end an investigation
            text = f"the tool failed ({type(error).__name__}); go on without it"
            return self._failed(call, text, narrator)
        text = self._kept(number, tool, call, output)
        narrator.step(
            self._told(call), why=plain_words(arguments.reason, 300), result=output.summary
        )
        return ToolAnswer(call_id=call.id, text=text)

    def _kept(self, number: str, tool: Tool, call: ToolCall, output: ToolOutput) -> str:
        self.records[number] = CallRecord(
            id=number,
            tool=tool.name,
            evidence=tool.evidence,
            arguments=self._arguments(call),
            summary=output.summary,
            query=output.query,
            table=output.table,
        )
        source = f"{number} {tool.name}"
        left = max(1000, min(RESULT_CHARACTERS, ALL_CHARACTERS - self._characters))
        text = envelope(source, output.data, limit=left, secrets=self.secrets)
        self._characters += len(text)
        return text

    def _failed(self, call: ToolCall, text: str, narrator: Narrator) -> ToolAnswer:
        text = redact(visible(text), secrets=self.secrets)[:_ERROR_CHARACTERS]
        why = plain_words(str(call.arguments.get("reason") or "no reason was given"), 300)
        narrator.step(self._told(call), why=why, result=f"refused: {plain_words(text, 300)}")
        return ToolAnswer(call_id=call.id, text=text, failed=True)

    def _told(self, call: ToolCall) -> str:
        return f"Claude: {plain_words(call.name, 60)} {plain_words(self._arguments(call), 300)}"

    def _arguments(self, call: ToolCall) -> str:
        shown = {k: v for k, v in call.arguments.items() if k != "reason"}
        return redact(visible(json.dumps(shown, ensure_ascii=False)), secrets=self.secrets)


def _problems(error: ValidationError) -> str:
    """Pydantic's problems, field by field, so that the model can mend its call."""
    told = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'arguments'}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False)
    ]
    return re.sub(r"\s+", " ", "; ".join(told))
