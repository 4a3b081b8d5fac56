"""What the library needs from the world, as Protocols. Implementations live in `connectors/`."""

from dagster_agent.ports.chat_model import ChatModel
from dagster_agent.ports.code_host import CodeHost
from dagster_agent.ports.narrator import Narrator
from dagster_agent.ports.orchestrator import Orchestrator
from dagster_agent.ports.state_store import StateStore
from dagster_agent.ports.warehouse import (
    Scratch,
    SharesConnection,
    TellsStamp,
    Warehouse,
)

__all__ = [
    "ChatModel",
    "CodeHost",
    "Narrator",
    "Orchestrator",
    "Scratch",
    "SharesConnection",
    "StateStore",
    "TellsStamp",
    "Warehouse",
]
