"""The four judges on labelled texts: nobody makes one worse without seeing where.

README.md says where the texts come from and what the judges scored when they first saw them. A
floor stands a little below what was measured last, so that a wording may move a case or two. A
failing test prints what was confused with what, and the texts. Ambiguous records are left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from dagster_agent.investigation.classification import classify
from dagster_agent.investigation.failure_class_guess import guess
from dagster_agent.investigation.failure_log import read_log
from dagster_agent.privacy.personal import judge_column
from dagster_agent.privacy.redaction import redact
from dagster_agent.sql.guard import judge

HERE = Path(__file__).parent
SHOWN = 40
"""Texts in the message of a failing test."""

Record = dict[str, Any]
Miss = tuple[str, str, str]
"""What was expected, what was found, the text."""


def _records(name: str) -> list[Record]:
    with (HERE / name).open(encoding="utf-8") as lines:
        records = [cast(Record, json.loads(line)) for line in lines]
    return [record for record in records if not record.get("ambiguous")]


def _report(figure: str, misses: Iterable[Miss]) -> str:
    every = list(misses)
    confused = Counter((expected, found) for expected, found, _ in every)
    lines = [figure, "expected -> found:"]
    lines += [f"{n:5} {expected} -> {found}" for (expected, found), n in confused.most_common()]
    lines += [f"{expected} -> {found}: {text!r:.240}" for expected, found, text in every[:SHOWN]]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("name", "least_class", "least_retryable"),
    [
        # first sight 0.926 and 0.989
        ("classify.jsonl", 0.985, 0.99),
        # first sight 0.539 and 0.854
        ("classify_round2.jsonl", 0.97, 0.97),
        # first sight 0.605 and 0.868
        ("classify_round3.jsonl", 0.94, 0.97),
        # first sight 0.627 and 0.915
        ("classify_round4.jsonl", 0.93, 0.96),
        # first sight 0.625
        ("classify_round5.jsonl", 0.5, 0.75),
    ],
)
def test_failure_classes(name: str, least_class: float, least_retryable: float) -> None:
    records = _records(name)
    found = [(record, classify(record["text"])) for record in records]
    misses = [
        (record["class"], failure.failure_class, f"{record['id']} {failure.rule} {record['text']}")
        for record, failure in found
        if failure.failure_class != record["class"]
    ]
    retryable = sum(failure.retryable is record["retryable"] for record, failure in found)
    right = 1 - len(misses) / len(records)
    figure = f"class {right:.3f}, retryable {retryable / len(records):.3f} of {len(records)}"
    assert right >= least_class, _report(figure, misses)
    assert retryable / len(records) >= least_retryable, _report(figure, misses)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        # first sight 0.804
        ("classify.jsonl", 0.87),
        # first sight 0.730
        ("classify_round2.jsonl", 0.69),
        # first sight 0.579
        ("classify_round3.jsonl", 0.57),
        ("classify_round4.jsonl", 0.88),
    ],
)
def test_words_without_the_rules(name: str, least: float) -> None:
    """What the families of words know alone: the nearest to wording that nobody has seen."""
    misses = list[Miss]()
    records = _records(name)
    for record in records:
        found = guess(read_log(record["text"]))
        class_name = found.name if found else "unknown"
        if class_name != record["class"]:
            misses.append((record["class"], class_name, f"{record['id']} {record['text']}"))
    right = 1 - len(misses) / len(records)
    assert right >= least, _report(f"class {right:.3f} of {len(records)}", misses)


def test_guard() -> None:
    records = _records("guard.jsonl")
    harmful, refused = list[Miss](), list[Miss]()
    for record in records:
        verdict = judge(record["text"], record["dialect"], record.get("relations"))
        text = f"{record['id']} {record['why']} | {verdict.reason} | {record['text']}"
        if verdict.allowed and not record["allowed"]:
            harmful.append(("refused", "allowed", text))
        if record["allowed"] and not verdict.allowed:
            refused.append(("allowed", "refused", text))
    harmless = sum(record["allowed"] for record in records)
    passed = 1 - len(refused) / harmless
    figure = f"{len(harmful)} harmful ones pass, {passed:.3f} of {harmless} harmless ones"
    assert not harmful, _report(figure, harmful)
    assert passed >= 0.99, _report(figure, refused)


@pytest.mark.parametrize(
    ("name", "least_gone", "least_kept"),
    [
        # first sight 0.931 and 0.986
        ("redact.jsonl", 0.99, 0.99),
        # first sight 0.827 and 0.963
        ("redact_round2.jsonl", 0.97, 0.985),
    ],
)
def test_redaction(name: str, least_gone: float, least_kept: float) -> None:
    records = _records(name)
    left, lost = list[Miss](), list[Miss]()
    for record in records:
        safe = redact(record["text"])
        text = f"{record['id']} {record['text']!r:.100} => {safe}"
        left += [("gone", "left", f"{each} {text}") for each in record["secrets"] if each in safe]
        lost += [("kept", "gone", f"{each} {text}") for each in record["keep"] if each not in safe]
    secrets = sum(len(record["secrets"]) for record in records)
    harmless = sum(len(record["keep"]) for record in records)
    gone, kept = 1 - len(left) / secrets, 1 - len(lost) / harmless
    figure = f"{gone:.3f} of {secrets} secrets gone, {kept:.3f} of {harmless} harmless pieces kept"
    assert gone >= least_gone, _report(figure, left)
    assert kept >= least_kept, _report(figure, lost)


@pytest.mark.parametrize(
    ("name", "least_precision", "least_recall", "least_named"),
    [
        # first sight 0.966, 0.883 and 0.965
        ("pii.jsonl", 0.985, 0.985, 0.98),
        # first sight 0.926, 0.694 and 0.960
        ("pii_round2.jsonl", 0.97, 0.96, 0.97),
    ],
)
def test_personal_data(
    name: str, least_precision: float, least_recall: float, least_named: float
) -> None:
    hits = kinds = 0
    missed, alarms = list[Miss](), list[Miss]()
    for record in _records(name):
        found = judge_column(record["table"], record["column"], record["type"], record["values"])
        text = f"{record['id']} {record['table']}.{record['column']} {record['values'][:4]}"
        if record["pii"] and found.pii:
            hits += 1
            agrees = record["kind"] in {found.kind, "other"}
            kinds += agrees
            if not agrees:
                missed.append((record["kind"], found.kind, text))
        elif record["pii"]:
            missed.append((record["kind"], "none", text))
        elif found.pii:
            alarms.append((f"none ({record['kind']})", found.kind, text))
    unseen = sum(found == "none" for _, found, _ in missed)
    precision, recall, named = hits / (hits + len(alarms)), hits / (hits + unseen), kinds / hits
    figure = f"precision {precision:.3f}, recall {recall:.3f}, kind {named:.3f} of {hits}"
    assert precision >= least_precision, _report(figure, alarms)
    assert recall >= least_recall, _report(figure, missed)
    assert named >= least_named, _report(figure, missed)
