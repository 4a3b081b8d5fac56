"""The corpus: secrets of many kinds vanish, and everything that only looks like one survives."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dagster_agent.privacy.redaction import MARK, redact

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "security" / "redaction.yaml").read_text()
)


def _id(case: dict[str, Any]) -> str:
    return str(case["text"])[:50].replace("\n", " ")


@pytest.mark.parametrize("case", CASES, ids=_id)
def test_secrets_vanish_and_the_rest_survives(case: dict[str, Any]) -> None:
    cleaned = redact(case["text"])
    assert [s for s in case.get("secrets", ()) if s in cleaned] == []
    assert [k for k in case.get("keep", ()) if k not in cleaned] == []
    assert (MARK in cleaned) is bool(case.get("secrets"))
    assert redact(cleaned) == cleaned


def test_the_corpus_is_large_and_has_both_sides() -> None:
    assert len(CASES) >= 120
    assert sum("secrets" in case for case in CASES) >= 100
    assert sum("keep" in case for case in CASES) >= 100


TEXTS = st.sampled_from([case["text"] for case in CASES])


@given(st.lists(TEXTS, min_size=2, max_size=5), st.sampled_from(["\n", " ", ", ", "; ", "|"]))
def test_twice_is_once_whatever_stands_together(texts: list[str], between: str) -> None:
    once = redact(between.join(texts))
    assert redact(once) == once


@given(st.lists(st.sampled_from([c for c in CASES if "secrets" in c]), min_size=2, max_size=5))
def test_a_secret_vanishes_in_company(cases: list[dict[str, Any]]) -> None:
    alone = "\n\n".join(redact(case["text"]) for case in cases)
    together = redact("\n\n".join(case["text"] for case in cases))
    for case in cases:
        assert not [s for s in case["secrets"] if s in together and s not in alone]


@pytest.mark.parametrize(
    "text",
    [
        "1 of 3 OK created sql table model main.stg_orders [OK in 0.10s]\n",
        "select token, secret from users where token = u.token;\n",
        '{"password": "hunter2", "user": "a", "api_key": "abcdef123"}\n',
        "x-api-key ",
        "login a password ",
        "-----BEGIN PRIVATE KEY-----",
        "eyJabcdefgh.",
        'key="password" value=',
        "insert into t (password) values ('",
        'variable "x_token" {',
        "echo a | ",
        "a.b.secret.key ",
        "name: password\nvalue: ",
        "mysql -",
        "A_KEY=a1",
    ],
)
def test_time_grows_with_length_only(text: str) -> None:
    def seconds(length: int) -> float:
        started = time.perf_counter()
        redact((text * (length // len(text) + 1))[:length])
        return time.perf_counter() - started

    small = min(seconds(20_000) for _ in range(3))
    assert seconds(200_000) < max(1.0, small * 60)  # quadratic would be 100 times as long
