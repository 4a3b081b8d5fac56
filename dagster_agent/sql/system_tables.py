"""Tables that are not the customer's: catalogs, logs of queries, credentials.

Three kinds. Secrets are never read. The plain views of `information_schema` (which tables and
columns there are, as far as the role may see them) are read where no relations are given. All
others, such as `pg_stat_activity` or `snowflake.account_usage.query_history`, hold texts of other
people's queries, settings or values: they are read only where the relations name them.
"""

from __future__ import annotations

from collections.abc import Sequence


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET = _names("""
    credentials duckdb_secrets pg_authid pg_auth_members pg_hba_file_rules pg_ident_file_mappings
    pg_largeobject pg_shadow pg_statistic pg_subscription pg_user_mapping pg_user_mappings
    svl_user_info user_mapping_options
""")
_PLAIN = _names("""
    check_constraints column_field_paths columns constraint_column_usage key_column_usage partitions
    referential_constraints schemata table_constraints table_options table_storage tables views
""")
_SCHEMAS = _names("""
    account_usage information_schema organization_usage pg_catalog pg_internal pg_toast
    reader_account_usage sys
""")
_CATALOGS = {
    "databricks": _names("system"),
    "duckdb": _names("system temp"),
    "snowflake": _names("snowflake"),
    "spark": _names("system"),
}
_PREFIXES = {
    "bigquery": ("__",),
    "duckdb": ("duckdb_", "pragma_", "pg_", "sqlite_"),
    "postgres": ("pg_",),
    "redshift": ("pg_", "stl_", "stv_", "svcs_", "svl_", "svv_", "sys_"),
}
_OPEN_SCHEMAS = frozenset({"", "main"})
"""Where a name without a schema of its own may be one of the system's."""


def is_secret(parts: Sequence[str], dialect: str) -> bool:
    """Whether it holds credentials or values that no role should need to read.

    Args:
        parts: One to three parts of the name, lower case.
        dialect: sqlglot's name.
    """
    return parts[-1] in _SECRET and is_system(parts, dialect)


def is_plain_catalog(parts: Sequence[str]) -> bool:
    """Whether it only tells which tables and columns there are."""
    return len(parts) > 1 and parts[-2] == "information_schema" and parts[-1] in _PLAIN


def is_system(parts: Sequence[str], dialect: str) -> bool:
    """Whether it is the warehouse's own."""
    name, schema = parts[-1], parts[-2] if len(parts) > 1 else ""
    if schema in _SCHEMAS or (len(parts) == 3 and parts[0] in _CATALOGS.get(dialect, ())):
        return True
    everywhere = dialect == "bigquery"  # `dataset.__TABLES__`
    return (everywhere or schema in _OPEN_SCHEMAS) and name.startswith(
        _PREFIXES.get(dialect, ("pg_",))
    )
