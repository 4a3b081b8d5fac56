"""Language models."""

from __future__ import annotations

from functools import partial

from dagster_agent.errors import ConfigError
from dagster_agent.ports.chat_model import ChatModel

PLATFORMS = ("anthropic", "bedrock", "vertex", "foundry")
"""Where Claude can be reached."""


def open_chat_model(
    *, model: str, platform: str = "anthropic", base_url: str | None = None, max_retries: int = 2
) -> ChatModel:
    """Claude on one of `PLATFORMS`. Nothing is imported or looked for until it is asked.

    Keys, regions and projects are read from the environment as Anthropic's library documents it
    (`ANTHROPIC_API_KEY`, ...); there is no argument for them, so that none can stand in a file.

    Args:
        model: The model's id on that platform.
        platform: One of `PLATFORMS`.
        base_url: Address of a gateway, in place of the platform's own.
        max_retries: How often a turn is tried again when the platform is busy.

    Raises:
        ConfigError: An unknown platform. What the environment lacks is told by the first reply.
    """
    if platform not in PLATFORMS:
        raise ConfigError(
            f"unknown platform {platform!r} of Claude", hint=f"known: {', '.join(PLATFORMS)}"
        )
    from dagster_agent.connectors.chat_models.claude import ClaudeModel, open_client

    connect = partial(open_client, platform, base_url=base_url)
    return ClaudeModel(connect, model=model, max_retries=max_retries)
