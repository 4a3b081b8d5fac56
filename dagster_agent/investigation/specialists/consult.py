"""`consult`: Claude looks where no pattern reaches, within a budget, and may fail in any way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dagster_agent.errors import ConfigError, ConnectorError
from dagster_agent.investigation.specialists import prompts
from dagster_agent.investigation.specialists.answer import Answer, InvalidAnswer, read_answer
from dagster_agent.investigation.specialists.budget import Budget
from dagster_agent.investigation.specialists.config import ClaudeConfig
from dagster_agent.investigation.specialists.consultation import Brief, Consultation, Outcome
from dagster_agent.investigation.specialists.envelope import plain_words, visible
from dagster_agent.investigation.specialists.toolbox import Toolbox
from dagster_agent.model import Hypothesis
from dagster_agent.ports import Narrator
from dagster_agent.ports.chat_model import (
    ChatModel,
    ChatRequest,
    ModelTurn,
    StopReason,
    ToolAnswer,
    ToolSpec,
    Turn,
    UserTurn,
)
from dagster_agent.privacy.redaction import redact

_CHARACTERS_PER_TOKEN = 3
"""JSON and SQL have about so many: rather too few than too many."""


def consult(
    brief: Brief,
    *,
    model: ChatModel,
    toolbox: Toolbox,
    config: ClaudeConfig,
    narrator: Narrator,
    messages: Callable[[], Sequence[str]],
    now: datetime,
) -> Consultation:
    """Let a specialist look and say what it suspects.

    Args:
        brief: What it starts from.
        model: Who is asked.
        toolbox: What it may look at, made for this consultation.
        config: Limits and prices.
        narrator: Hears each turn and each tool call.
        messages: Texts of people that arrived since it was last called; asked before each request.
        now: UTC.

    Returns:
        Never raises for what the model, its vendor or the network does: the outcome says it.

    Raises:
        InvestigationStopped: `messages` or `narrator` raised it, because a person said stop.
    """
    if not config.enabled:
        return Consultation(outcome="off", detail="claude.enabled is false")
    conversation = _Conversation(
        brief=brief,
        model=model,
        toolbox=toolbox,
        narrator=narrator,
        messages=messages,
        config=config,
        budget=Budget(config),
        tools=toolbox.specs(),
        now=now,
    )
    narrator.step(
        f"ask {model.name}",
        why="no pattern explains what was seen, or a person wants a second opinion",
        result=_limits(config),
    )
    consultation = conversation.run()
    narrator.step(
        f"{model.name}: {consultation.outcome}",
        why=consultation.detail or "it was asked to answer when it had seen enough",
        result=f"{len(consultation.hypotheses)} suspicions; {_spent(consultation)}",
    )
    return consultation


def _limits(config: ClaudeConfig) -> str:
    money = f"${config.max_dollars:g}"
    if config.price() is None:
        money = f"no limit in dollars, for the price of {config.model} is not known"
    return f"at most {config.max_turns} turns, {config.max_minutes:g} minutes, {money}"


def _spent(consultation: Consultation) -> str:
    usage = consultation.usage
    cost = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    return (
        f"{usage.turns} turns, {usage.tool_calls} tool calls, {usage.input_tokens:,} tokens read, "
        f"{usage.output_tokens:,} written, {cost}, {usage.seconds:.0f} s"
    )


class _Ended(Exception):
    """The consultation is over without an answer."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome: Outcome = outcome
        self.detail = detail


@dataclass(slots=True, kw_only=True)
class _Conversation:
    """The turns so far, and what is to be said next."""

    brief: Brief
    model: ChatModel
    toolbox: Toolbox
    narrator: Narrator
    messages: Callable[[], Sequence[str]]
    config: ClaudeConfig
    budget: Budget
    tools: tuple[ToolSpec, ...]
    now: datetime
    turns: list[Turn] = field(default_factory=lambda: list[Turn]())
    answers: list[ToolAnswer] = field(default_factory=lambda: list[ToolAnswer]())
    texts: list[str] = field(default_factory=lambda: list[str]())
    context: int = 0
    early: str = ""

    def run(self) -> Consultation:
        summary = ""
        hypotheses: tuple[Hypothesis, ...] = ()
        try:
            self._say(prompts.briefing(self.brief, now=self.now, secrets=self.toolbox.secrets))
            self._look()
            summary, hypotheses = self._conclude()
            outcome: Outcome = "answered" if hypotheses else "nothing-found"
            detail = f"asked to answer early: {self.early} would be passed" if self.early else ""
        except _Ended as end:
            outcome, detail = end.outcome, end.detail
        except (ConnectorError, ConfigError) as error:
            outcome, detail = "unreachable", str(error)
        return Consultation(
            outcome=outcome,
            hypotheses=hypotheses,
            summary=summary,
            detail=detail,
            usage=self.budget.usage(),
        )

    def _look(self) -> None:
        """Turns with tools, until it has seen enough or a limit is near."""
        while True:
            self._hear()
            self.early = self.budget.obstacle(self._context(), last=False)
            if self.early:
                return
            turn = self._ask(last=False)
            self._answer_calls(turn)
            if turn.stop is StopReason.CUT:
                self._say(prompts.GO_ON)
            elif turn.stop is StopReason.DONE and not turn.calls and not self._hear():
                return

    def _conclude(self) -> tuple[str, tuple[Hypothesis, ...]]:
        """The answer; one that cannot be used may be mended once."""
        self._say(prompts.ANSWER_NOW)
        problem = ""
        for _ in range(2):
            if problem:
                self._say(prompts.MEND.format(problem=problem))
            if obstacle := self.budget.obstacle(self._context(), last=True):
                if problem:
                    raise _Ended("invalid-answer", f"{problem}; {obstacle} leaves no second try")
                raise _Ended("over-budget", f"{obstacle} leaves nothing for an answer")
            turn = self._ask(last=True)
            self._answer_calls(turn)
            try:
                return read_answer(
                    turn.text,
                    toolbox=self.toolbox,
                    codebase=self.brief.codebase,
                    scope=self.brief.dossier.scope,
                )
            except InvalidAnswer as error:
                cut = "it was cut because it was too long; " * (turn.stop is StopReason.CUT)
                problem = f"{cut}{plain_words(str(error), 800)}"
        raise _Ended("invalid-answer", problem)

    def _say(self, text: str) -> None:
        self.texts.append(text)

    def _hear(self) -> bool:
        """Whether people said something; it stands in the conversation then."""
        heard = list(self.messages())
        for text in heard:
            shown = redact(visible(text), secrets=self.toolbox.secrets)[:4000]
            self._say(prompts.steering(shown))
            self.narrator.step(
                "a person's message reached the investigation",
                why=shown,
                result="told to Claude with its next turn",
            )
        return bool(heard)

    def _context(self) -> int:
        """Input tokens of the next request, as far as they can be told."""
        unsent = sum(len(a.text) for a in self.answers) + sum(map(len, self.texts))
        if not self.turns:
            unsent += len(prompts.SYSTEM) + len(str(self.tools))
        return self.context + unsent // _CHARACTERS_PER_TOKEN

    def _ask(self, *, last: bool) -> ModelTurn:
        if self.answers or self.texts:
            self.turns.append(UserTurn(answers=tuple(self.answers), texts=tuple(self.texts)))
            self.answers.clear()
            self.texts.clear()
        turn = self.model.reply(
            ChatRequest(
                system=prompts.SYSTEM,
                turns=tuple(self.turns),
                tools=self.tools,
                answer_schema=Answer.model_json_schema() if last else None,
                max_output_tokens=self.budget.allowance(last=last),
                effort=self.config.effort,
                timeout_seconds=max(1.0, self.budget.seconds_left(last=last)),
            )
        )
        self.turns.append(turn)
        self.budget.spend(turn.usage)
        self.context = turn.usage.all_input_tokens + turn.usage.output_tokens
        self._narrate(turn)
        if turn.stop is StopReason.REFUSED:
            reason = plain_words(turn.stop_detail, 200) or "no reason given"
            raise _Ended("refused", f"the model refused: {reason}")
        if turn.stop is StopReason.TOO_LONG:
            raise _Ended("over-budget", "the conversation no longer fits the model's window")
        return turn

    def _narrate(self, turn: ModelTurn) -> None:
        usage = self.budget.usage()
        words = plain_words(turn.thoughts or turn.text, 400, secrets=self.toolbox.secrets)
        cost = "" if usage.cost_usd is None else f", ${usage.cost_usd:.4f} so far"
        used = turn.usage
        self.narrator.step(
            f"Claude, turn {usage.turns}",
            why=words or "it gave no reason",
            result=f"{len(turn.calls)} tool calls; {used.all_input_tokens:,} tokens read "
            f"({used.cache_read_tokens:,} cached), {used.output_tokens:,} written{cost}",
        )

    def _answer_calls(self, turn: ModelTurn) -> None:
        """Every call is answered, in order, in one message: vendors refuse anything else."""
        complete = turn.stop is StopReason.TOOL_CALLS
        for call in turn.calls:
            if not complete:
                text = "not run: the turn ended before the call was complete"
            elif self.budget.seconds_left(last=False) <= 0:
                text = "not run: the time is up"
            elif not self.budget.spend_call():
                text = f"not run: {self.config.max_tool_calls} tool calls were made; answer now"
            else:
                self.answers.append(self.toolbox.call(call, self.narrator))
                continue
            self.answers.append(ToolAnswer(call_id=call.id, text=text, failed=True))
