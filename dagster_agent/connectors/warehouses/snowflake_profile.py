"""What a dbt profile's target says about a Snowflake account."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dagster_agent.errors import ConfigError

_SAME = (
    *("user", "password", "role", "warehouse", "database", "schema"),
    *("host", "port", "protocol", "proxy_host", "proxy_port"),
    *("client_session_keep_alive", "authenticator", "token"),
)
"""Keys that dbt and the connector both know."""
_CONNECT_SECONDS = 30
_SECRETS = ("password", "token", "private_key", "private_key_passphrase", "oauth_client_secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class SnowflakeTarget:
    """How to connect, and as whom."""

    parameters: Mapping[str, Any] = field(repr=False)
    """The connector's; hold secrets."""
    account: str
    """Account identifier."""
    database: str
    """Database of relations that name none, in Snowflake's spelling."""
    schema: str
    """Schema of relations that name none, in Snowflake's spelling."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values that must not be shown."""


def read_target(output: Mapping[str, Any]) -> SnowflakeTarget:
    """Read a rendered target of profiles.yml, with the keys of dbt-snowflake.

    Raises:
        ConfigError: A key is missing or malformed, or the way to log in is not supported.
    """
    missing = [key for key in ("account", "database") if not output.get(key)]
    if missing:
        raise ConfigError(
            f"the dbt profile's Snowflake target has no {', '.join(missing)}",
            hint="add what `dbt debug` asks for",
        )
    account = str(output["account"]).replace("_", "-")  # as dbt does
    parameters = {key: output[key] for key in _SAME if output.get(key) not in (None, "")}
    seconds = int(output.get("connect_timeout") or _CONNECT_SECONDS)
    parameters |= {"account": account, "login_timeout": seconds, "network_timeout": seconds}
    parameters |= _login(output)
    return SnowflakeTarget(
        parameters=parameters,
        account=account,
        database=unquoted(str(output["database"])),
        schema=unquoted(str(output.get("schema") or "PUBLIC")),
        secrets=tuple(str(output[key]) for key in _SECRETS if output.get(key)),
    )


def unquoted(name: str) -> str:
    """What Snowflake makes of a name without quotes: upper case. Any other spelling is kept."""
    plain = name.isascii() and name.replace("$", "_").isidentifier()
    return name.upper() if plain and name == name.lower() else name


def _login(output: Mapping[str, Any]) -> dict[str, Any]:
    if output.get("oauth_client_id"):
        raise ConfigError(
            "the dbt profile's Snowflake target logs in with an OAuth refresh token",
            hint="give the agent a target with `private_key_path`, or `authenticator: oauth` with"
            " an access token as `token`",
        )
    login: dict[str, Any] = {}
    if output.get("authenticator") == "jwt":
        login["authenticator"] = "oauth"  # as dbt does: the token is passed on as it is
    passphrase = output.get("private_key_passphrase")
    if output.get("private_key_path"):
        login["private_key_file"] = str(output["private_key_path"])
        if passphrase:
            login["private_key_file_pwd"] = str(passphrase)
    elif output.get("private_key"):
        login["private_key"] = _der(str(output["private_key"]), str(passphrase or ""))
    return login


def _der(text: str, passphrase: str) -> bytes:
    """A key as PEM or as base64 of DER, the way the connector wants it."""
    from cryptography.hazmat.primitives import serialization as keys

    password = passphrase.encode() or None
    try:
        if text.startswith("-----"):
            key = keys.load_pem_private_key(text.encode(), password)
        else:
            key = keys.load_der_private_key(base64.b64decode(text, validate=True), password)
    except (ValueError, TypeError, binascii.Error):
        raise ConfigError(
            "`private_key` of the dbt profile's Snowflake target cannot be read",
            hint="give PEM or base64 of DER, and `private_key_passphrase` where it is encrypted",
        ) from None
    return key.private_bytes(keys.Encoding.DER, keys.PrivateFormat.PKCS8, keys.NoEncryption())
