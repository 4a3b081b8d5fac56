"""`dagster-agent`: the product from the shell, on any dbt project, with or without Dagster.

Exit codes: 0 done (whatever was found), 1 done and something was found under `--fail-on-finding`
or a check of `doctor`, `validate` or `audit verify` failed, 2 wrong input or configuration, 3 a
vendor could not be reached.
"""

from __future__ import annotations

import click

from dagster_agent.cli.audit import audit
from dagster_agent.cli.detection import anomalies, drift, profile, reconcile
from dagster_agent.cli.init import init
from dagster_agent.cli.investigation import demo, doctor, investigate, sweep
from dagster_agent.cli.judges import classify, guard, pii, redact
from dagster_agent.cli.reconciliations import reconciliations
from dagster_agent.cli.repair import fix, validate


@click.group()
@click.version_option(package_name="dagster-agent")
def main() -> None:
    """Find, prove and repair what breaks in dbt assets."""


for command in (
    *(init, investigate, sweep, fix, validate, doctor, demo),
    *(reconcile, reconciliations, drift, profile, anomalies),
    *(classify, guard, redact, pii, audit),
):
    main.add_command(command)
