"""Fakes of the ports, for tests of what is built on this library."""

from dagster_agent.testing.fake_code_host import FakeCodeHost
from dagster_agent.testing.memory_store import MemoryStore
from dagster_agent.testing.recording_narrator import RecordingNarrator, Step

__all__ = ["FakeCodeHost", "MemoryStore", "RecordingNarrator", "Step"]
