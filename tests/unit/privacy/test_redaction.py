"""Secrets go, everything else stays, and twice is as good as once."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dagster_agent.privacy.redaction import MARK, known_secrets, redact

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMTIz"
SECRET_TEXTS = {
    "key AKIAIOSFODNN7EXAMPLE used": "AKIAIOSFODNN7EXAMPLE",
    "remote: ghp_abcdefghijklmnopqrstuvwxyz0123456789": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz": "github_pat_11ABCDEFG0abcdefghijkl",
    "glpat-abcdefghijklmnopqrst": "glpat-abcdefghijklmnopqrst",
    "xoxb-123456789012-abcdefghijkl": "xoxb-123456789012",
    "https://hooks.slack.com/services/T000/B000/XXXXYYYY": "T000/B000/XXXXYYYY",
    "ANTHROPIC: sk-ant-api03-abcdefghijklmnopqrstuvwx": "sk-ant-api03",
    f"header {JWT} end": JWT,
    "session ver:1-hint:1234-ETMsDgAAAXabcdefghijkl": "ETMsDgAAAXabcdefghijkl",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv": "AIzaSyA1234567890",
    "dapi0123456789abcdef0123456789abcdef": "dapi0123456789abcdef",
    "snowflake://agent:hunter2@acme/db?warehouse=xs": "hunter2",
    "postgresql+psycopg2://u:p@ss:w0rd@host:5432/db": "p@ss:w0rd",
    "password=hunter2": "hunter2",
    "password: hunter": "hunter",
    "PGPASSWORD=correct-horse psql": "correct-horse",
    '{"password": "with \\" quote", "user": "a"}': "with",
    "{'client_secret': 'abc def'}": "abc def",
    "connect(user='a', password='s3cr3t')": "s3cr3t",
    "token=abcdef": "abcdef",
    "api_key: 12345678abcdefgh": "12345678abcdefgh",
    "AccountKey=Zm9vYmFyYmF6cXV4cXV1eA==;EndpointSuffix=x": "Zm9vYmFyYmF6cXV4cXV1eA==",
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG": "wJalrXUtnFEMI",
    "Authorization: Basic dXNlcjpwYXNzd29yZA==": "dXNlcjpwYXNzd29yZA==",
    "authorization: Bearer abc": "abc",
    "curl -H 'bearer abcdefghijklmnop1234'": "abcdefghijklmnop1234",
    "https://b.blob.core.windows.net/c?sv=2020&sig=a%2Bb%3D&x=1": "a%2Bb%3D",
    "dbt run --password hunter2 --target dev": "hunter2",
    "create secret s (type s3, key_id 'x', secret 'abc/def')": "abc/def",
    "alter user x password 'y z'": "y z",
    "update done, password=abc": "password=abc",
    "select the target and password=abc": "password=abc",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----": "MIIE",
}
HARMLESS_TEXTS = [
    "commit 3f2a1c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b",
    "run 6b6d3c1e-0000-4000-8000-000000000001 failed",
    "select token, password_hash from users where token = u.token and secret = 'x'",
    "select * from a join b on a.token = b.token",
    "select case when password = 'x' then 1 end as p",
    "password: \"{{ env_var('DBT_PASSWORD') }}\"",
    "password: {{ env_var('DBT_PASSWORD') }}",
    "env_var('DBT_ENV_SECRET_TOKEN')",
    "password=${PGPASSWORD} token=$TOKEN",
    "postgresql://user:${PASSWORD}@host/db",
    "http://localhost:3000/runs/abc@def",
    "max_tokens: 4096, token_count=12",
    "def connect(password: str, token: str | None = None) -> None",
    "syntax error: unexpected token: FROM",
    "password=None secret: true token=os.environ['X']",
    "the secret of good data is a test",
    "1 of 3 OK created sql table model main.stg_orders [OK in 0.10s]",
    "md5(concat(a, '|', b)) = '9e107d9d372bb6826bd81d3542a419d6'",
]


@pytest.mark.parametrize(("text", "secret"), SECRET_TEXTS.items())
def test_secrets_go(text: str, secret: str) -> None:
    assert secret in text
    cleaned = redact(text)
    assert secret not in cleaned
    assert MARK in cleaned


@pytest.mark.parametrize("text", HARMLESS_TEXTS)
def test_everything_else_stays(text: str) -> None:
    assert redact(text) == text


def test_what_stands_around_a_secret_stays() -> None:
    assert redact("snowflake://me:pw1@acme/db") == f"snowflake://me:{MARK}@acme/db"
    assert redact('{"password": "x", "user": "a"}') == f'{{"password": "{MARK}", "user": "a"}}'
    assert redact("a password='x' b") == f"a password='{MARK}' b"


def test_known_values_go_wherever_they_stand() -> None:
    assert redact("saw Tr0ub4dor here", secrets=["Tr0ub4dor"]) == f"saw {MARK} here"
    assert redact("q=a%2Fb%2Bcd", secrets=["a/b+cd"]) == f"q={MARK}"
    assert redact("longer-secret", secrets=["longer", "longer-secret"]) == MARK
    assert redact("an ant", secrets=["an", ""]) == "an ant"


def test_known_secrets_of_environment_and_profile() -> None:
    environment = {
        "DBT_ENV_SECRET_GIT": "git-credential",
        "GITHUB_TOKEN": "t0k3n-value",
        "PATH": "/usr/bin",
        "SHORT_SECRET": "abc",
    }
    output = {
        "type": "snowflake",
        "user": "agent-user",
        "password": "profile-pw",
        "secrets": [{"type": "s3", "secret": "nested-secret"}],
    }
    assert known_secrets(environment, output) == (
        "git-credential",
        "nested-secret",
        "profile-pw",
        "t0k3n-value",
    )


PIECES = st.sampled_from(
    [*SECRET_TEXTS, *HARMLESS_TEXTS, MARK, "password=", '"', "'", "@", "://u:", " ", "\n", "&", "]"]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=6).map("".join))
@example("password=[redacted]x")
@example("password='[redacted]")
@example("a://b:[redacted]x@h")
def test_twice_is_once(text: str) -> None:
    once = redact(text, secrets=["hunter2", "redact"])
    assert redact(once, secrets=["hunter2", "redact"]) == once


def test_large_and_hostile_texts_take_no_time() -> None:
    started = time.perf_counter()
    redact("1 of 3 OK created sql table model main.stg_orders [OK in 0.10s]\n" * 4000)
    for hostile in ("a" * 200_000, "password" * 25_000, "://" * 50_000, "token=" * 30_000):
        redact(hostile)
    assert time.perf_counter() - started < 10
