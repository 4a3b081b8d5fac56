"""No rule matched: the log says nothing that we know, or nothing failed.

Why it matters: an honest "unknown" is read by a person or by Claude; a guess would be acted on.
Here too: success logs, wrappers that only repeat "exit code 1", progress without an error.
Not here: anything with a sentence that another class could learn; add it there, with its case.
"""

from __future__ import annotations

from dagster_agent.investigation.failure_class import failure_class

UNKNOWN = failure_class(id="unknown", retryable=False, description=__doc__, rules=())
