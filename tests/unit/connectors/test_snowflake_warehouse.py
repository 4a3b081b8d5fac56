"""What of Snowflake can be told without an account: targets, types, errors."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from snowflake.connector.errors import OperationalError, ProgrammingError

from dagster_agent.connectors.warehouses import snowflake_results
from dagster_agent.connectors.warehouses.snowflake_catalog import to_facts, to_schemas
from dagster_agent.connectors.warehouses.snowflake_errors import own_errors
from dagster_agent.connectors.warehouses.snowflake_profile import read_target, unquoted
from dagster_agent.errors import ConfigError, ConnectorError

TARGET = {"type": "snowflake", "account": "my_org-acc", "user": "u", "database": "shop"}
KEY = ed25519.Ed25519PrivateKey.generate()


def _key(encoding: serialization.Encoding, password: bytes | None = None) -> bytes:
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return KEY.private_bytes(encoding, serialization.PrivateFormat.PKCS8, encryption)


DER = _key(serialization.Encoding.DER)


def test_a_target_as_dbt_reads_it() -> None:
    target = read_target(
        TARGET | {"password": "hunter2-x", "schema": "Odd", "role": "R", "connect_timeout": 5}
    )
    assert (target.account, target.database, target.schema) == ("my-org-acc", "SHOP", "Odd")
    assert target.parameters["login_timeout"] == 5
    assert target.parameters["role"] == "R"
    assert target.secrets == ("hunter2-x",)
    assert "hunter2" not in repr(target)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shop", "SHOP"),
        ("Shop", "Shop"),
        ("my shop", "my shop"),
        ("größe", "größe"),
        ("a$1", "A$1"),
    ],
)
def test_names_without_quotes_are_upper_case(name: str, expected: str) -> None:
    assert unquoted(name) == expected


@pytest.mark.parametrize(
    "keys",
    [
        {"private_key": _key(serialization.Encoding.PEM).decode()},
        {"private_key": base64.b64encode(DER).decode()},
        {
            "private_key": _key(serialization.Encoding.PEM, b"phrase").decode(),
            "private_key_passphrase": "phrase",
        },
    ],
)
def test_keys_come_in_dbts_forms(keys: dict[str, str]) -> None:
    assert read_target(TARGET | keys).parameters["private_key"] == DER


def test_a_key_file_is_left_to_the_connector() -> None:
    target = read_target(TARGET | {"private_key_path": "k.p8", "private_key_passphrase": "phrase"})
    found = (target.parameters["private_key_file"], target.parameters["private_key_file_pwd"])
    assert found == ("k.p8", "phrase")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"account": ""}, "account"),
        ({"database": None}, "database"),
        ({"private_key": "no key"}, "private_key"),
        ({"oauth_client_id": "x", "authenticator": "oauth"}, "OAuth"),
    ],
)
def test_what_cannot_work_is_said_at_once(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read_target(TARGET | keys)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("problem", "words", "retryable"),
    [
        (ProgrammingError("Object 'X' does not exist or not authorized.", sqlstate="42S02"), "no such table", False),  # noqa: E501
        (ProgrammingError("SQL compilation error: invalid identifier 'AMUONT'", sqlstate="42000"), "no such column", False),  # noqa: E501
        (ProgrammingError("Insufficient privileges to operate on table", sqlstate="42501"), "permission denied", False),  # noqa: E501
        (ProgrammingError("Statement reached its statement or warehouse timeout of 9 second(s)", sqlstate="57014"), "interrupted after 9 s", False),  # noqa: E501
        (ProgrammingError("No active warehouse selected in the current session.", sqlstate="57P03"), "virtual warehouse", False),  # noqa: E501
        (OperationalError("Incorrect username or password was specified.", sqlstate="08001"), "login", False),  # noqa: E501
        (OperationalError("Authentication token has expired. The user must authenticate again."), "session has ended", True),  # noqa: E501
        (OperationalError("Failed to execute request: Max retries exceeded", sqlstate="08001"), "cannot be reached", True),  # noqa: E501
        (ProgrammingError("Numeric value 'x' is not recognized", sqlstate="22018"), "not recognized", False),  # noqa: E501
    ],
)  # fmt: skip
def test_errors_are_told_by_state_and_words(
    problem: Exception, words: str, retryable: bool
) -> None:
    with pytest.raises(ConnectorError, match=words) as caught:  # noqa: SIM117
        with own_errors("snowflake:SHOP", secrets=[], seconds=9):
            raise problem
    assert caught.value.retryable is retryable


def _column(code: int, precision: int | None = None, scale: int | None = None) -> Any:
    return SimpleNamespace(name="x", type_code=code, precision=precision, scale=scale)


def test_batches_of_many_widths_become_one_stream() -> None:
    schema = snowflake_results.stream_schema([_column(0, 38, 0), _column(0, 12, 2), _column(8)])
    assert [str(t) for t in schema.types] == [
        *("decimal128(38, 0)", "decimal128(12, 2)", "timestamp[us]"),
    ]
    moments = pa.array([1_000_000_001], pa.int64()).cast(pa.timestamp("ns"))
    for narrow in (pa.int8(), pa.int64(), pa.decimal128(20, 0)):
        columns = [pa.array([7]).cast(narrow), pa.array(["1.50"]).cast(pa.decimal128(12, 2))]
        table = pa.Table.from_arrays([*columns, moments], names=["a", "b", "c"])
        (batch,) = snowflake_results.to_batches(table, schema)
        assert batch.schema == schema
        assert batch.column(2).cast(pa.int64()).to_pylist() == [1_000_000]


def test_the_catalogues_rows() -> None:
    row = ("S", "P", "T", "BASE TABLE", "of t", "C", "TEXT", "NO", 1, "'x'", None, None, 20, "de", None)  # noqa: E501  # fmt: skip
    (schema,) = to_schemas([row]).values()
    (column,) = schema.columns
    assert (schema.kind, schema.comment) == ("table", "of t")
    assert (column.type, column.nullable, column.default) == ("VARCHAR(20)", False, "'x'")
    assert (column.collation, column.comment) == ("de", "")
    zone = timezone(timedelta(hours=2))
    facts = to_facts(
        [
            ("S", "P", "T", 3, 512, datetime(2026, 1, 1, 2, tzinfo=zone)),
            ("S", "P", "U", 0, 0, datetime(1970, 1, 1, tzinfo=UTC)),
            ("S", "P", "V", None, None, None),
        ]
    )
    found = [(f.row_count, f.exact, f.bytes, f.last_altered) for f in facts.values()]
    assert found == [
        (3, True, 512, datetime(2026, 1, 1, tzinfo=UTC)),
        (0, True, 0, None),
        (None, False, None, None),
    ]
