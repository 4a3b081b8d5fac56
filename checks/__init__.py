"""The shop's checks: the team's own, and those it composes with the agent's builders."""
