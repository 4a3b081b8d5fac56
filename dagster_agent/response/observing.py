"""Reading the schema of one table, and telling one that is gone from one that is hidden."""

from __future__ import annotations

import re

from dagster_agent.errors import ConnectorError, DagsterAgentError
from dagster_agent.model import Asset, Baseline, Relation, TableSchema
from dagster_agent.response.workspace import Workspace
from dagster_agent.sql.identifiers import relation_sql

_REFUSED = re.compile(r"permission|denied|not authorized|privilege", re.IGNORECASE)
_GONE = re.compile(r"does not exist|not found|no such", re.IGNORECASE)


def observed_schema(
    workspace: Workspace, asset: Asset, relation: Relation, baseline: Baseline | None
) -> TableSchema | DagsterAgentError | None:
    """The schema that is there, None for no table, or the error that the warehouse answered with.

    Args:
        workspace: The opened project.
        asset: Whose table it is.
        relation: The table.
        baseline: The accepted schema, where there is one: then a table that is not to be seen is
            looked for.
    """
    try:
        observed = workspace.schema(relation)
    except ConnectorError as error:
        return error
    if observed is not None or baseline is None:
        return observed
    return _hidden(workspace, asset, relation)


def _hidden(workspace: Workspace, asset: Asset, relation: Relation) -> ConnectorError | None:
    """The error where a table is there and only its description is withheld; None where it is gone.

    A role that lost a grant sees no columns of a table: that is no drop.
    """
    told = f"the columns of {relation} are not shown to this user"
    hint = f"grant the agent's user SELECT on {relation}"
    named = relation_sql(relation, workspace.warehouse.dialect)
    try:
        workspace.warehouse.query(
            f"SELECT 1 AS there FROM {named} WHERE 1 = 0", purpose=f"is {asset.name} there"
        )
    except ConnectorError as error:
        gone = _GONE.search(error.message) or not _REFUSED.search(error.message)
        return None if gone else ConnectorError(f"{told}: {error.message}", hint=hint)
    return ConnectorError(told, hint=hint)
