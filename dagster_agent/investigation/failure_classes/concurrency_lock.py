"""Two writers met, or a lock was not to be had.

Why it matters: the same run succeeds when the other is done; when it recurs, two schedules collide.
Here too: a relation swapped by another run while it is read, optimistic commits of Delta and
Iceberg that lost.
Not here: too many queries or connections at once (`out_of_resources`), a statement that was slow
without a lock (`transient_infra`).
"""

from __future__ import annotations

from dagster_agent.investigation.failure_class import (
    clickhouse,
    failure_class,
    mssql,
    mysql,
    rule,
    sqlstate,
)

CONCURRENCY_LOCK = failure_class(
    id="concurrency-lock",
    retryable=True,
    description=__doc__,
    rules=(
        rule(
            "serialize",
            0.97,
            r"\bcould not serialize access\b",
            r"\bserializable isolation violation\b",
            r"\bserializationfailure\b",
            r"\bcould not complete because of conflict with concurrent transaction\b",
            r"\bconflict with (?:recovery|a concurrent transaction)\b",
        ),
        rule(
            "concurrent-update",
            0.95,
            r"\b(?:due to|by|because of) (?:a |another )?concurrent (?:update|transaction|write"
            r"|delete|modification|append)",
            r"\btransaction is aborted due to concurrent update\b",
            r"\btuple concurrently (?:updated|deleted)\b",
            r"\btable (?:was|has been|is being) (?:concurrently )?(?:modified|updated) (?:by"
            r"|concurrently)",
            r"\bconcurrent (?:policy changes|updates? to|modification exception)\b",
        ),
        rule(
            "deadlock",
            0.97,
            r"\bdeadlock(?:detected)?\b(?!_)",
            r"\bora-00060\b",
        ),
        rule(
            "lock-wait",
            0.96,
            r"\block(?: wait)? timeout\b(?: exceeded)?",
            r"\block request time ?out period exceeded\b",
            r"\block timeout\b",
            r"\block not available\b",
            r"\blocknotavailable\b",
            r"\bcould not obtain lock\b",
            r"\bora-00054\b",
            r"\bora-01555\b",
            r"\b(?:unable|failed|could not|couldn't|cannot) (?:to )?(?:acquire|obtain|get)"
            r"[^\n]{0,40} lock\b",
            r"\btimed? ?out [^\n]{0,40}(?:for|acquiring|on|obtain\w*) (?:a |the |table "
            r"|exclusive )?lock\b",
        ),
        rule(
            "duckdb-file",
            0.98,
            r"\bcould not set lock on file\b",
            r"\bconflicting lock is held\b",
            r"\b(?:being |in )?use[d]? by another process\b",
        ),
        rule(
            "duckdb-transaction",
            0.95,
            r"\btransactioncontext error: (?!cannot start|current transaction"
            r"|failed to commit: primary)",
            r"\bconflict on (?:update|tuple deletion)\b",
            r"\bwrite-write conflict\b",
            r"\bcan't open a connection to same database file with a different configuration\b",
        ),
        rule(
            "sqlite",
            0.96,
            r"\bdatabase(?: table)? is locked\b",
        ),
        rule(
            "delta",
            0.98,
            r"\bdelta_concurrent_\w+",
            r"\bdelta_(?:metadata|protocol)_changed\b",
            r"\b(?:concurrent(?:append|deleteread|deletedelete|transaction|write|modification)"
            r"|metadatachanged|protocolchanged)exception\b",
        ),
        rule(
            "iceberg",
            0.96,
            r"\b(?:commitfailedexception|commitstateunknownexception|iceberg_commit_error)\b",
            r"\b(?:transaction_conflict|transaction conflict|failed to commit iceberg update)\b",
            r"\bcannot commit: (?:stale|requirement|base metadata|found)",
            r"\bbranch [^\n]{1,60} has changed: expected id\b",
            r"\b(?:multi_catalog|autocommit)_write_conflict\b",
        ),
        rule(
            "snowflake",
            0.97,
            r"\b000625 \(",
            r"\bhas locked (?:table|partition)\b",
            r"\bnumber of waiters for this lock exceeds\b",
            r"\bwaiter[^\n]{0,60}lock\b",
            r"\bstatement [^\n]{0,80} was aborted because [^\n]{0,40}lock\b",
        ),
        rule(
            "mssql",
            0.96,
            r"\bsnapshot isolation transaction aborted\b",
            r"\bchosen as the deadlock victim\b",
        ),
        rule(
            "swapped-relation",
            0.86,
            r"\bopen relation with oid\b",
            r"__(?:dbt_tmp|dbt_backup|dbt_new)\b[^\n]{0,20} already exists",
            r"\bpg_(?:type_typname_nsp|class_relname_nsp|namespace_nspname"
            r"|proc_proname_args_nsp)_index\b",
            r"\bcached plan must not change result type\b",
            r"\bstream_or_snapshot_changed\b",
            r"\bdelta_schema_change_since_analysis\b",
        ),
        rule(
            "http-conflict",
            0.86,
            r"^reason: conflict\b",
            r"\bthe object has been modified\b",
            r"\b(?:object|resource|relation|table|schema) is being (?:deleted|dropped|modified"
            r"|altered|created)\b",
        ),
        rule(
            "codes",
            0.92,
            clickhouse(473, 517),
            mysql(1205, 1213, 3572),
            mssql(1205, 1222, 3960, 3961, 24556),
        ),
        rule(
            "already-running",
            0.86,
            r"\b(?:sync|job|run|connector) [^\n]{0,60}?is already (?:running|in progress"
            r"|syncing)\b",
            r"\ba sync is already running\b",
            r"\bcannot acquire (?:pool|concurrency) slot\b",
        ),
        rule(
            "sqlstate",
            0.84,
            sqlstate("40001", "40p01", "55p03", "55006"),
        ),
        rule(
            "words",
            0.72,
            r"\b(?:locked by|lock contention|lock conflict|write ?conflict)\b",
            r"\b(?:resource|file|state|table) (?:is )?(?:currently )?locked\b",
            r"\bconflict\w*\b[^\n]{0,30}?\b(?:another|other|concurrent)\b",
            r"\bconcurrent(?:ly)?\b[^\n]{0,40}?\b(?:transaction|update|write|writer|modif|delet"
            r"|access)",
            r"\bcommitfailed(?:error|exception)?\b",
        ),
    ),
)
