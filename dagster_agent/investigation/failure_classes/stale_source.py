"""The data is old: what should have arrived has not, and nothing failed.

Why it matters: every model below is right about yesterday; look at who delivers.
Here too: `dbt source freshness` warnings and errors, freshness checks and policies of Dagster,
delayed syncs of Fivetran and Airbyte, sensors that waited for a file or partition in vain.
Not here: a sync that failed with an error (the class of that error), a freshness query that could
not run (its database error), an Airbyte heartbeat that stopped in a running sync
(`transient_infra`).
"""

from __future__ import annotations

from dagster_agent.investigation.failure_class import failure_class, rule

STALE_SOURCE = failure_class(
    id="stale-source",
    retryable=False,
    description=__doc__,
    rules=(
        rule(
            "dbt-freshness",
            0.97,
            r"\b(?:error stale|warn) freshness of\b",
            r"\b(?:error|warn)\w* freshness of \S+ \W*\[(?:error stale|warn|stale)",
            r"\bfreshness of \S+ \W*\[(?:error )?(?:stale|warn)\b",
            r"\[error stale in\b",
            r"\bsource freshness (?:\w+ ){0,4}(?:error|fail|warn|exceed|stale|not (?:passed|met))",
            r"\bthreshold\b[^\n]{0,60}\bstale\b",
            r"\basset check [^\n]{0,80}fresh[^\n]{0,160}(?:did not pass|failed)\b",
            r"\bsources? (?:\S+ )?(?:is|are) stale\b",
            r"\bmax_loaded_at\b[^\n]{0,200}(?:error_after|warn_after|stale|exceed|old|ago)",
            r"\b(?:error_after|warn_after)\b[^\n]{0,80}(?:exceed|breach|violat)",
            r"\b(?:warned|failed|errored|stale) \[[^\]\n]{0,16}\] source\b",
            r"\(last updated \d+ \w+ ago\)",
            r"\bexceeded (?:the )?(?:\w+ )?freshness (?:threshold|sla|limit|policy)\b",
            r"\bfreshness (?:sla|threshold|check|policy|expectation|test)s?\b[^\n]{0,120}(?:fail"
            r"|violat|breach|exceed|missed|not met|overdue)",
        ),
        rule(
            "dagster-freshness",
            0.95,
            r"\basset (?:[^\n]{1,160} )?is overdue\b",
            r"\boverdue\b[^\n]{0,80}(?:materializ|update|refresh|asset)",
            r"\b(?:partition|asset|data) (?:[^\n]{1,160} )?(?:is )?not fresh\b",
            r"\bfreshness policy\b[^\n]{0,80}(?:violat|fail|late)",
            r"\bis stale\b(?![^\n]{0,40}(?:or in invalid|lock|handle|connection|cache|pid))",
            r"\b(?:has not|hasn't|have not|haven't) (?:been )?(?:updated|materialized|refreshed"
            r"|loaded|synced|arrived|received|landed)",
            r"\blast (?:updated|loaded|synced|refreshed|materialized|successful sync|sync|load"
            r"|record|data|event)[^\n]{0,80}\b(?:ago|older|exceed|stale|late|overdue|behind)\b",
        ),
        rule(
            "no-new-data",
            0.93,
            r"\bno (?:new|fresh|recent) (?:data|rows?|records?|files?|events?|partitions?)\b",
            r"\bno (?:data|rows?|records?|files?|events?) (?:found |were |was |have been "
            r"|has been )?(?:arrived|received|landed|loaded|delivered|for (?:today|partition"
            r"|the last|date)|since|in the last)",
            r"\bexpected (?:file|data|partition|delivery)[^\n]{0,160}(?:not|never|has not"
            r"|did not) (?:yet )?(?:arriv|land|received|found|deliver|present)",
            r"\b(?:feed|file|partition|delivery|batch|data)[^\n]{0,120}(?:has |have |did |is )"
            r"(?:not|n't) (?:yet )?(?:arrive|arrived|landed|been delivered|been received"
            r"|available yet)",
            r"\b0 (?:new )?(?:rows|records) (?:were )?(?:loaded|synced|extracted|ingested"
            r"|received)\b",
        ),
        rule(
            "newest",
            0.9,
            r"\b(?:newest|latest|most recent|last) [\w ]{1,30}? (?:is|was) (?:from )?[^\n]{0,60}"
            r"\b(?:ago|old)\b",
        ),
        rule(
            "sync-delay",
            0.93,
            r"\bdelayed sync\b",
            r"\bsyncs? (?:is |are |was |were |has been )?(?:delayed|overdue|late)\b",
            r"\bdata delay\b",
            r"\b(?:has not|hasn't) (?:completed a )?sync(?:ed)?\b[^\n]{0,60}(?:hours?|days?"
            r"|minutes?|since)",
            r"\bsync (?:lag|delay)\b",
            r"\b(?:connector|connection|pipeline|replication|ingestion)[^\n]{0,120}(?:is )?"
            r"(?:behind (?:schedule|by)|lagging|delayed)\b",
            r"\breplication lag\b[^\n]{0,60}(?:exceed|above|high)",
            r"\bdata (?:is|are) (?:\d+ \w+ )?(?:late|old|outdated|behind|stale|delayed)\b",
            r"\b(?:data|table|source|snapshot|extract|feed) is (?:more than |over |at least )?"
            r"[\d.]+ ?\w+ old\b",
            r"\b(?:outdated|out-of-date|stale) (?:data|source|table|partition|extract)\b",
        ),
        rule(
            "age",
            0.87,
            r"\b[\d.]+ (?:hours?|days?|minutes?|hrs?) old\b",
            r"\bexceed\w* (?:the )?[\w ]{0,30}\bsla\b",
            r"\bbreach\w* (?:the )?[\w ]{0,30}\bsla\b",
        ),
        rule(
            "soda",
            0.93,
            r"\bfreshness\([^)\n]{1,80}\) ?[<>]",
            r"\bfreshness using \w+",
        ),
        rule(
            "sensor",
            0.86,
            r"\bexternal ?task ?sensor\b[^\n]{0,80}tim(?:ed|e) ?out",
            r"\bupstream [^\n]{0,80}(?:not (?:yet )?(?:ready|updated|fresh)|late)\b",
        ),
        rule(
            "words",
            0.68,
            r"\b(?:stale|staleness|freshness)\b[^\n]{0,60}?\b(?:error|fail\w*|alert|breach|warn\w*"
            r"|detected)\b",
            r"\bdata freshness\b",
        ),
    ),
)
