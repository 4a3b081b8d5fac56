"""Data or a schema broke an agreed shape: a contract, a constraint, `on_schema_change: fail`.

Why it matters: the producer changed something that consumers rely on; one of them has to move.
Here too: NOT NULL, CHECK and foreign key violations of the database, different numbers of columns
between a statement and its target, Delta's schema enforcement, breaking schema changes of a
source that an ingestion service reports, schemas of dataframes (pandera, dlt contracts).
Not here: unique constraints (`duplicate_rows`), a single value that cannot be converted
(`type_error`), tests that only look (`test_failure`).
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

CONTRACT_VIOLATION = failure_class(
    id="contract-violation",
    retryable=False,
    description=__doc__,
    rules=(
        rule(
            "dbt-contract",
            0.98,
            r"\benforced contract (?:that )?(?:failed|has failed)\b",
            r"\bhas an enforced contract\b",
            r"\bplease ensure the name, data_type, (?:order, )?and number of columns\b",
            r"\bcontract (?:was )?(?:violated|violation|broken|failed|breach\w*)\b",
            r"\bbreaking changes? to (?:contract|the contract)",
            r"\bincludes? breaking changes to contract\b",
            r"\bcontract on \w+ [^\n]{0,60}\bviolated\b",
            r"\bcontract_?(?:breaking_change|error|violation)\b",
            r"\bdata ?contract\w*error\b",
        ),
        rule(
            "dbt-contract-columns",
            0.9,
            r"\bcontracted models\b",
        ),
        rule(
            "dbt-schema-change",
            0.98,
            r"\bsource and target schemas on this incremental model are out of sync\b",
            r"\bschemas? (?:on this incremental model )?(?:are|is) out of sync\b",
        ),
        rule(
            "not-null",
            0.96,
            r"\bviolates not[- ]null constraint\b",
            r"\bnot null constraint (?:failed|violated)\b",
            r"\bnotnullviolation\b",
            r"\bnull result in a non-nullable column\b",
            r"\b100072 \(",
            r"\bcannot insert (?:the value )?null\b",
            r"\bora-01400\b",
            r"\bcolumn [^\n]{1,120}? cannot be null\b",
            r"\bnull value in (?:non-nullable |required )?column\b",
            r"\brequired field [^\n]{1,120}? (?:cannot|can not|is|was) (?:be )?(?:null|missing)\b",
            r"\bdelta_not_null_constraint_violated\b",
            r"\bnot_null_constraint_violation\b",
            r"\bnull_value_in_non_nullable\w*",
            r"\bnot null constraint violated for column\b",
            r"\bcontains null values\b[^\n]{0,60}not null",
            r"\bdelta_missing_not_null_column_value\b",
            r"\bprimary key [^\n]{0,160}\bnullable\b",
        ),
        rule(
            "check",
            0.96,
            r"\bviolates check constraint\b",
            r"\bcheck constraint (?:failed|violat|[^\n]{1,120} violated)",
            r"\bcheckviolation\b",
            r"\bdelta_violate_constraint\w*",
            r"\bdelta_constraint_\w+",
            r"\bconstraint_violation\b",
            r"\bconflicted with the (?:check|foreign key|reference) constraint\b",
            r"\bora-02290\b",
            r"\bcheck constraint [^\n]{1,200}? violated by row\b",
        ),
        rule(
            "foreign-key",
            0.96,
            r"\bviolates foreign key constraint\b",
            r"\bforeign key constraint (?:fails|failed|violat)",
            r"\bforeignkeyviolation\b",
            r"\bora-0229[12]\b",
            r"\bintegrity constraint [^\n]{1,120} violated\b(?! - (?:unique|primary))",
        ),
        rule(
            "column-count",
            0.9,
            r"\binsert has (?:more|fewer) (?:expressions|target columns)\b",
            r"\bhas \d+ columns but \d+ values were supplied\b",
            r"\binsert value list does not match column list\b",
            r"\binserted row has wrong column count\b",
            r"\bwrong number of columns\b",
            r"\bunmatched number of columns\b",
            r"\b(?:column|field) count (?:mismatch|does(?:n't| not) match)",
            r"\b002020 \(",
            r"\bnumber of columns [^\n]{0,80}(?:mismatch|not match|match)",
            r"\b(?:insert_column_arity_mismatch|not_enough_data_columns|too_many_data_columns)\b",
            r"\bhas \d+ columns? but (?:the )?\w+ [^\n]{0,40}\d+ columns?\b",
        ),
        rule(
            "table-schema",
            0.93,
            r"\bschema mismatch detected when writing\b",
            r"\bdelta_schema_(?:mismatch|not_consistent|change_not_allowed)\w*",
            r"\b_legacy_error_temp_delta_0007\b",
            r"\bdelta_metadata_mismatch\b",
            r"\bdelta_insert_column_mismatch\b",
            r"\bprovided schema does not match table\b",
            r"\bcannot add fields \(field\b",
            r"\bschema update (?:is )?not allowed\b",
            r"\b(?:schemamismatch\w*|schemavalidation\w*|schemaenforce\w*"
            r"|incompatible_schema\w*)\b",
            r"\bunknown_field_exception\b",
            r"\bencountered unknown fields?\b",
            r"\b(?:table|data|input|source|file|record|result)(?:'s)? schema (?:does not|doesn't"
            r"|did not) (?:match|conform)",
            r"\bschema (?:of [^\n]{1,80} )?(?:does not|doesn't) match (?:the )?(?:expected|target"
            r"|table|contract)",
            r"\bschema mismatch\b",
            r"\bmismatched schemas?\b",
            r"\bschema validation (?:failed|error)\b",
            r"\bis not compatible with (?:the )?(?:existing|target|table) schema\b",
        ),
        rule(
            "partitioning",
            0.86,
            r"\bpartition(?:ing)? spec(?:ification)?\b",
            r"\bdifferent (?:partitioning|clustering)\b",
        ),
        rule(
            "required-fields",
            0.86,
            r"\bmissing required fields?: ",
        ),
        rule(
            "source-schema",
            0.93,
            r"\b(?:non-)?breaking schema change\b",
            r"\bschema changes? (?:detected|was detected|were detected|is not allowed)\b",
            r"\b(?:stream|table|source) schema (?:has )?changed\b[^\n]{0,80}(?:breaking"
            r"|incompatible|approve|review)",
            r"\bprimary key [^\n]{0,60}(?:was |has been )?(?:removed|changed) (?:from|in) "
            r"(?:the )?(?:source|stream)",
        ),
        rule(
            "dataframe",
            0.95,
            r"\bpandera\.errors\.\w+",
            r"\bschemaerrors?: (?!type |invalid series|failed to determine)",
            r"\bdlt\.[\w.]*(?:contract|schema)\w*(?:violat|frozen|data)\w*",
            r"\bdata_?validation_?error\b[^\n]{0,80}contract",
            r"\bschema_contract\b",
            r"\bis frozen\b[^\n]{0,60}(?:table|column|data_type)",
            r"\bnon-nullable series\b",
            r"\bfailed (?:element-wise|series or dataframe) validator\b",
        ),
        rule(
            "avro",
            0.9,
            r"\bschema being registered is incompatible\b",
            r"\bincompatible with an earlier schema\b",
        ),
        rule(
            "sqlstate",
            0.84,
            sqlstate("23502", "23503", "23514", "23001", "23000", "21s01"),
        ),
        rule(
            "codes",
            0.92,
            clickhouse(20, 349, 469),
            mysql(1048, 1136, 1364, 1451, 1452, 3819, 4025),
            mssql(109, 110, 120, 213, 515, 547),
        ),
        rule(
            "words",
            0.66,
            r"\b(?:contract|constraint) (?:\w+ )?violat(?:ed|ion)s?\b",
            r"\bviolates? [^\n]{0,60}constraint\b",
        ),
    ),
)
