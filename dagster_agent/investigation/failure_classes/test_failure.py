"""A test or check ran and did not pass.

Why it matters: nothing broke; the data is not what somebody said it would be.
Here too: dbt data tests of every kind (also `unique`) and unit tests, Dagster asset checks, Great
Expectations, Soda, Deequ, Databricks expectations, SQL checks of Airflow. The test's name is
among the facts.
Not here: a test that could not run because its SQL failed (the class of that database error),
source freshness (`stale_source`), constraints that the database enforces (`contract_violation`,
`duplicate_rows`), assertions of Python (`code_exception`).
"""

from __future__ import annotations

from dagster_agent.investigation.failure_class import failure_class, rule

TEST_FAILURE = failure_class(
    id="test-failure",
    retryable=False,
    description=__doc__,
    rules=(
        rule(
            "dbt-test",
            0.97,
            r"\bfailure in (?:unit[_ ])?(?:data[_ ])?test\b"
            r"(?![^\n]{0,160}\b(?:database|runtime|compilation) error\b)",
            r"\bgot \d[\d,]* results?, configured to (?:fail|warn) if\b",
            r"\b(?:fail|failed) \d[\d,]* \w+[^\n]{0,160}\[fail(?: \d+)? in\b",
            r"\[fail(?: \d[\d,]*)? in [\d.]+s\]",
            r"\bactual differs from expected\b",
            r"\bunit test [^\n]{1,120}failed\b",
        ),
        rule(
            "dbt-test-warning",
            0.86,
            r"\bwarning in (?:data[_ ])?test\b",
            r"\[warn \d[\d,]* in [\d.]+s\]",
        ),
        rule(
            "fusion",
            0.93,
            r"^failed \[ *[\d.]+s\] (?:unit_)?test\b",
            r"\bdbt tests? failed\b",
        ),
        rule(
            "dagster-check",
            0.96,
            r"\bdagsterassetcheckfailederror\b",
            r"\b(?:blocking )?asset checks? (?:[^\n]{1,160} )?(?:failed|did not pass)\b",
            r"\bcheck [^\n]{1,160} did not pass\b",
        ),
        rule(
            "great-expectations",
            0.95,
            r"\bvalidation (?:with|of|failed for)[^\n]{0,120}expectation",
            r"\bexpectations? (?:suite )?[^\n]{0,60}(?:failed|not met|were not met|unsuccessful)\b",
            r"\bcheckpoint [^\n]{0,120}(?:failed|validation was unsuccessful)",
            r"\bgreatexpectations\w*error: [^\n]{0,60}validation",
            r"\bexpect_(?:column|table|compound|multicolumn|select)\w+\b[^\n]{0,300}(?:fail"
            r"|success\W{1,4}false|unexpected)",
            r"\bsuccess_percent\b",
            r"\bunexpected_(?:count|percent)\b",
        ),
        rule(
            "databricks-expectation",
            0.97,
            r"\bexpectation_violation\b",
            r"\bexpectation '[^'\n]{1,120}' violated\b",
            r"\bexpectationviolation\w*",
            r"\bunmet_expectation\b",
        ),
        rule(
            "deequ",
            0.95,
            r"\bdoes not meet the constraint requirement\b",
        ),
        rule(
            "soda",
            0.95,
            r"\boops! \d+ failures?\b",
            r"\bsoda scan (?:failed|found failures)\b",
        ),
        rule(
            "heading",
            0.83,
            r"\b\d+(?:/\d+)? checks? fail(?:ed)?\b",
            r"\bchecks? failed: ?$",
        ),
        rule(
            "airflow-check",
            0.94,
            r"\btests? (?:have )?failed\.?(?:$| query:| the following| results)",
            r"\bthe following (?:tests|checks) have failed\b",
            r"\b(?:data quality|quality|dq) checks? (?:[^\n]{0,80} )?(?:failed|violated"
            r"|not passed)\b",
            r"\btest failed\.",
            r"\bdata quality (?:test|rule|gate|validation)s? [^\n]{0,80}(?:failed|not met"
            r"|violated)",
        ),
        rule(
            "elementary",
            0.9,
            r"\belementary[^\n]{0,80}(?:anomal|test)[^\n]{0,60}fail",
            r"\banomaly detected in\b",
        ),
        rule(
            "words",
            0.7,
            r"\b(?:test|check|assertion|expectation|reconciliation)s? "
            r"[\w.\"'`]{0,120} ?(?:has |have |was |is )?(?:failed|not passed|did not pass)\b",
            r"\bfailed (?:data )?(?:quality )?(?:tests?|checks?|expectations?)\b",
        ),
    ),
)
