import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import dagster as dg
from dagster import AssetCheckSeverity, MetadataValue

from dagster_agent.definitions import metadata as shown
from dagster_agent.definitions.finding_metadata import finding_metadata, open_findings_result
from dagster_agent.model import (
    BlastRadius,
    Cause,
    Detection,
    DetectionStatus,
    Evidence,
    Finding,
    FindingStatus,
    PullRequest,
    PullRequestState,
    Report,
    ResultTable,
    Severity,
    TableDiff,
    Verdict,
    Verification,
    VerificationStep,
)

NOW = datetime(2026, 11, 21, 3, 15, tzinfo=UTC)
KEY = dg.AssetCheckKey(dg.AssetKey("fct_orders"), "agent_reconciliation")


def detection(status: DetectionStatus, **more: object) -> Detection:
    values = {"detector": "reconciliation/row-count", "asset": "model.shop.fct_orders"}
    return Detection(
        **{**values, "status": status, "headline": "3 rows, expected 4", "observed_at": NOW, **more}
    )


def finding(**more: object) -> Finding:
    report = Report(
        incident_id="I-1",
        asset="model.shop.fct_orders",
        verdict=Verdict.CAUSE_FOUND,
        confidence=0.94,
        headline="fct_orders lost 15 % of its rows",
        evidence=(Evidence(id="E1", kind="row-accounting", statement="s", query="select 1"),),
        started_at=NOW - timedelta(seconds=40),
        finished_at=NOW,
        cause=Cause(files=("models/a.sql",), mechanism="m", pattern="inner-join-drops-rows"),
        blast_radius=BlastRadius(models=("model.shop.a", "model.shop.b"), statement="2 models"),
        verification=Verification(
            steps=(VerificationStep(name="recheck", passed=True, detail="d", seconds=1.0),),
            tests_passed=61,
            data_diff=(
                TableDiff(
                    asset="model.shop.a", rows_before=3, rows_after=4, rows_added=1, rows_removed=0
                ),
            ),
        ),
    )
    return Finding(**{"id": "F-3abd25", "report": report, "created_at": NOW, **more})


def test_a_pass_is_green_and_its_numbers_are_plotted() -> None:
    result = shown.check_result(
        [detection(DetectionStatus.PASSED, detector="anomaly", metrics={"rows": 4.0, "s": 0.25})],
        key=KEY,
    )
    assert result.passed
    assert result.description == "3 rows, expected 4"
    assert result.metadata["rows"] == MetadataValue.int(4)
    assert result.metadata["s"] == MetadataValue.float(0.25)


def test_a_pass_counts_what_else_agrees() -> None:
    passes = [detection(DetectionStatus.PASSED, detector=f"reconciliation/{m}") for m in "abc"]
    assert (
        shown.check_result(passes, key=KEY).description == "3 rows, expected 4 (and 2 more agree)"
    )


def test_a_failure_carries_its_severity_sample_hint_and_query() -> None:
    failed = detection(
        DetectionStatus.FAILED,
        severity=Severity.ERROR,
        sample=ResultTable(columns=("id", "amount"), rows=((7, Decimal("1.5")), (None, None))),
        evidence=(Evidence(kind="row-count", statement="s", query="select count(*)"),),
        hint="look at the join",
    )
    result = shown.check_result([detection(DetectionStatus.PASSED), failed], key=KEY)
    assert not result.passed
    assert result.severity is AssetCheckSeverity.ERROR
    assert result.metadata["next_step"] == MetadataValue.text("look at the join")
    sample = result.metadata["sample"]
    assert isinstance(sample, dg.TableMetadataValue)
    assert [record.data for record in sample.records] == [
        {"id": 7, "amount": 1.5},
        {"id": "NULL", "amount": "NULL"},
    ]
    assert [(c.name, c.type) for c in sample.schema.columns] == [("id", "int"), ("amount", "float")]
    assert "select count(*)" in str(result.metadata["queries"].value)


def test_what_could_not_run_is_a_warning_and_never_green() -> None:
    result = shown.check_result(
        [
            detection(DetectionStatus.PASSED),
            detection(
                DetectionStatus.COULD_NOT_RUN,
                severity=Severity.ERROR,
                headline="the file is locked",
            ),
        ],
        key=KEY,
    )
    assert not result.passed
    assert result.severity is AssetCheckSeverity.WARN
    assert result.description == "Could not run: the file is locked"
    assert result.metadata["dagster_agent/status"] == MetadataValue.text("could-not-run")


def test_untrained_says_so_in_its_first_word() -> None:
    for headline in ("needs 14 points, has 3", "Untrained: needs 14 points, has 3"):
        result = shown.check_result(
            [detection(DetectionStatus.UNTRAINED, headline=headline)], key=KEY
        )
        assert result.description == "Untrained: needs 14 points, has 3"
        assert result.passed
        assert result.metadata["dagster_agent/status"] == MetadataValue.text("untrained")


def test_a_repeated_result_tells_when_it_was_measured() -> None:
    result = shown.check_result([detection(DetectionStatus.FAILED)], key=KEY, repeated=True)
    assert result.description == "3 rows, expected 4 (as of 2026-11-21 03:15 UTC)"
    assert result.metadata["as_of"] == MetadataValue.timestamp(NOW)
    assert result.metadata["dagster_agent/repeated"] == MetadataValue.bool(True)


def test_numbers_say_whose_they_are_and_infinities_stay_out() -> None:
    result = shown.check_result(
        [
            detection(DetectionStatus.PASSED, detector="anomaly", metrics={"row_count": 9.0}),
            detection(
                DetectionStatus.PASSED,
                detector="anomaly/robust-level/row_count",
                metrics={"row_count": 9.0, "usual_low": 8.5},
            ),
            detection(DetectionStatus.PASSED, metrics={"rows": 1.0, "lost": float("nan")}),
            detection(DetectionStatus.PASSED, metrics={"rows": 3.0, "all": float("inf")}),
        ],
        key=KEY,
    )
    numeric = (dg.IntMetadataValue, dg.FloatMetadataValue)
    numbers = {k: v.value for k, v in result.metadata.items() if isinstance(v, numeric)}
    assert numbers == {
        "row_count": 9,
        "row_count: usual_low": 8.5,
        "row-count: rows": 1,
        "row-count: rows #2": 3,
    }


def test_a_finding_is_told_with_links_one_can_follow() -> None:
    request = PullRequest(
        number=43,
        url="https://github.com/acme/dbt/pull/43",
        branch="agent/x",
        base="main",
        title="t",
        head_sha="9ab41de",
        state=PullRequestState.DRAFT,
    )
    told = finding_metadata(
        finding(pull_request=request, run_id="r1"),
        told={"finding": "### story", "decide": ""},
        asset_key=dg.AssetKey("fct_orders"),
    )
    assert told["finding"] == MetadataValue.md("### story")
    assert "decide" not in told
    assert told["confidence"] == MetadataValue.float(0.94)
    assert told["seconds_to_finding"] == MetadataValue.float(40.0)
    assert told["pull_request"] == MetadataValue.url("https://github.com/acme/dbt/pull/43")
    assert told["asset"] == MetadataValue.asset(dg.AssetKey("fct_orders"))
    assert told["investigation"] == MetadataValue.dagster_run("r1")
    assert told["models_affected"] == MetadataValue.int(2)
    diff = told["data_diff"]
    assert isinstance(diff, dg.TableMetadataValue)
    assert diff.records[0].data == {
        "model": "a",
        "before": 3,
        "after": 4,
        "added": 1,
        "removed": 0,
    }
    local = finding_metadata(
        finding(
            pull_request=PullRequest(
                number=1,
                url="file:///repo/pull-1.md",
                branch="b",
                base="main",
                title="t",
                head_sha="s",
                state=PullRequestState.DRAFT,
            )
        ),
        told={},
        asset_key=None,
    )
    assert local["pull_request"] == MetadataValue.path("/repo/pull-1.md")


def test_open_findings_is_green_only_without_any() -> None:
    key = dg.AssetCheckKey(dg.AssetKey("fct_orders"), "agent_open_findings")

    def state(*findings: Finding) -> dg.AssetCheckResult:
        return open_findings_result(
            findings, key=key, payload=lambda f: {"told": MetadataValue.text(f.id)}
        )

    none = state()
    assert none.passed
    assert none.metadata["open_findings"] == MetadataValue.int(0)
    one = state(finding())
    assert not one.passed
    assert one.severity is AssetCheckSeverity.ERROR
    assert one.description == "F-3abd25: fct_orders lost 15 % of its rows"
    snoozed = state(finding(status=FindingStatus.SNOOZED, snoozed_until=NOW))
    assert not snoozed.passed
    assert snoozed.severity is AssetCheckSeverity.WARN
    assert (snoozed.description or "").endswith("· snoozed until 2026-11-21 03:15 UTC")
    two = state(finding(id="F-1", status=FindingStatus.APPROVED), finding(id="F-2"))
    assert two.metadata["told"] == MetadataValue.text("F-2")
    assert (two.description or "").endswith("(and 1 more)")
    assert shown.evaluation_of(two).asset_check_key == key


def test_metadata_survives_what_dagster_does_to_it() -> None:
    awkward = ResultTable(
        columns=("größe", "b"),
        rows=((float("nan"), b"\x00"), (True, datetime(2026, 1, 1, tzinfo=UTC)), (2**70, None)),
    )
    result = shown.check_result([detection(DetectionStatus.FAILED, sample=awkward)], key=KEY)
    text = dg.serialize_value(shown.evaluation_of(result))
    assert "größe" in json.loads(text)["metadata"].__repr__()


def test_long_lines_of_code_are_broken_so_that_the_page_fits_the_screen() -> None:
    line = "+select " + ", ".join(f"column_{n}" for n in range(12))
    prose = "word " * 40
    text = f"{prose}\n```diff\n{line}\n short\n\n```\n{prose}"
    broken = shown.folded(text)
    first, *code, last = broken.split("\n")
    assert (first, last) == (prose, prose)
    assert max(len(c) for c in code) <= 72
    assert [c[:1] for c in code] == ["`", "+", "+", " ", "", "`"]
    assert "".join(broken.split()).replace("+column", "column") == "".join(text.split())


def test_a_reconciliation_names_its_pair_also_where_it_has_none() -> None:
    """The empty name tells a result of now from one that was made before pairs had names."""
    for pair in ("ledger", ""):
        result = shown.check_result([detection(DetectionStatus.FAILED, pair=pair)], key=KEY)
        assert result.metadata["dagster_agent/pair"].value == pair
    other = shown.check_result(
        [detection(DetectionStatus.FAILED, detector="schema-drift")], key=KEY
    )
    assert "dagster_agent/pair" not in other.metadata
