"""The data holds more than one row where the statement needs one.

Why it matters: a source delivered twice, or a join fans out; a retry meets the same rows.
Here too: unique and primary key violations of the database, MERGE with several source rows for
one target row, a scalar subquery that returns several rows, snapshots whose unique key is not.
Not here: a dbt `unique` test that failed (`test_failure`: nothing broke, the check did its work;
which column it tested is among the facts), two models of one name (`compile_error`), a catalogue
index of PostgreSQL (`pg_type_typname_nsp_index`: two runs created one table, `concurrency_lock`).
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

DUPLICATE_ROWS = failure_class(
    id="duplicate-rows",
    retryable=False,
    description=__doc__,
    rules=(
        rule(
            "merge",
            0.97,
            r"\bduplicate row detected during dml\b",
            r"\b100090 \(",
            r"\bmust match at most one source row\b",
            r"\bmultiple source rows matched\b",
            r"\bdelta_multiple_source_row_matching_target_row_in_merge\b",
            r"\bmerge_cardinality_violation\b",
            r"\bmerge_target_row_multiple_matches\b",
            r"\bone merge target table row matched more than one source row\b",
            r"\b(?:target|destination) row matched more than one source row\b",
            r"\bcannot affect (?:the same target )?row (?:a second time|more than once)\b",
            r"\bfound multiple matches to update the same tuple\b",
            r"\bmerge statement attempted to update or delete the same row more than once\b",
            r"\bora-30926\b",
            r"\bunable to get a stable set of rows\b",
            r"\bcardinalityviolation\b",
        ),
        rule(
            "unique-constraint",
            0.97,
            r"\bduplicate key value violates unique constraint(?! \"pg_)",
            r"\bunique(?: key)? constraint (?:failed|violat)",
            r"\bviolat\w+ (?:the )?(?:unique|primary key|uniqueness) (?:key )?constraint\b"
            r"(?! \"pg_)",
            r"\bviolation of (?:primary key|unique key) constraint\b",
            r"\bcould not create unique index\b",
            r"^(?:detail: )?key \([^)\n]{1,200}\)=\([^\n]{0,200}\) is duplicated\b",
            r"\bcannot insert duplicate key\b",
            r"\bduplicate entry '[^\n]{0,200}?' for key\b",
            r"\bduplicate key \"[^\n]{0,200}?\" violates\b",
            r"\buniqueviolation(?:error)?\b(?![^\n]{0,120}\"pg_)",
            r"\bora-00001\b",
            r"\bdup(?:licate)?[ _]key\b[^\n]{0,40}\be11000\b",
            r"\be11000 duplicate key\b",
            r"\ba primary key already exists\b",
            r"\balready exists: document\b",
            r"\bprimary_key_(?:violation|constraint)\b",
        ),
        rule(
            "scalar-subquery",
            0.95,
            r"\bmore than one row returned by a subquery\b",
            r"\bsingle-row subquery returns more than one row\b",
            r"\bscalar subquery (?:produced|returned|has returned) more than one\b",
            r"\bscalar_subquery_too_many_rows\b",
            r"\bsubquery_multiple_rows\b",
            r"\bsubquery returned more than 1 value\b",
            r"\bsubquery returns more than 1 row\b",
            r"\bmore than one row returned by (?:a )?(?:scalar )?subquery\b",
            r"\bscalar sub-?query has returned multiple rows\b",
            r"\bora-01427\b",
        ),
        rule(
            "dbt-snapshot",
            0.93,
            r"\bfailed due to duplicate values in unique_key\b",
            r"\bunique[_ ]key [^\n]{0,120}? (?:is|are) not (?:truly )?unique\b",
        ),
        rule(
            "dataframe",
            0.93,
            r"\bmerge keys are not unique\b",
            r"\bcannot reindex on an axis with duplicate labels\b",
            r"\bindex contains duplicate entries\b",
        ),
        rule(
            "sqlstate",
            0.84,
            sqlstate("23505", "21000", "42p18"),
        ),
        rule(
            "codes",
            0.92,
            clickhouse(125),
            mysql(1062, 1242, 1586),
            mssql(512, 1505, 2601, 2627, 8672),
        ),
        rule(
            "words",
            0.66,
            r"\bduplicated? (?:rows?|records?|keys?|primary keys?|entries|values)\b(?! (?:labels"
            r"|in config|in yaml))",
        ),
    ),
)
