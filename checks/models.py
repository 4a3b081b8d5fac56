"""Checks of the dbt models that the team wants under its own name for the op."""

import dagster as dg

from dagster_agent import Settings, build_reconciliation_checks


def model_checks(models: dg.AssetsDefinition, settings: Settings) -> list[dg.AssetChecksDefinition]:
    """Do the models agree with what they are built from, and with the processor's ledger?"""
    return build_reconciliation_checks(assets=[models], settings=settings, name="truth")
