"""What every form has in which a person answers: who, and why.

This module must not postpone its annotations: Dagster reads them to find the config classes.
"""

import dagster as dg
from pydantic import Field

NOBODY = "someone at the Dagster UI"
"""Recorded where the form is left empty: open-source Dagster has no users."""


class Signed(dg.Config):
    """A person's word."""

    decided_by: str = Field(
        default="", description="Who decides. Dagster has no users, so say it; it is recorded."
    )
    comment: str = Field(default="", description="Why, in your words; goes into the record.")

    @property
    def who(self) -> str:
        """Whoever signed, on the record even when nobody did."""
        return self.decided_by.strip() or NOBODY
