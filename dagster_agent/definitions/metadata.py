"""Detector results and findings as Dagster shows them: one builder for each, used everywhere."""

from __future__ import annotations

import base64
import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import dagster as dg
from dagster import MetadataValue, TableColumn, TableRecord, TableSchema

from dagster_agent.connectors.orchestrators.dagster import (
    DETECTOR_KEY,
    NEW_COLUMNS_KEY,
    PAIR_KEY,
    RED_PAIRS_KEY,
    REPEATED_KEY,
    STATUS_KEY,
)
from dagster_agent.model import (
    Cell,
    Detection,
    DetectionStatus,
    ResultTable,
    Severity,
)

Metadata = dict[str, MetadataValue]

_RANK = (
    DetectionStatus.FAILED,
    DetectionStatus.COULD_NOT_RUN,
    DetectionStatus.UNTRAINED,
    DetectionStatus.PASSED,
)
_MAX_ROWS = 20
_MAX_QUERIES = 5
_CODE_WIDTH = 72
"""What fits into the page of a finding on a screen of 1,440 pixels."""


def check_result(
    detections: Sequence[Detection],
    *,
    key: dg.AssetCheckKey,
    repeated: bool = False,
    more: Mapping[str, MetadataValue] | None = None,
) -> dg.AssetCheckResult:
    """What one engine said about one asset, as the result of its check.

    Only what passed is plainly green. Untrained passes, because nothing is known to be wrong, and
    says so in its first word; what could not run is a warning.

    Args:
        detections: At least one.
        key: The asset check.
        repeated: Whether the detections are of an earlier run; their time is shown then.
        more: Further metadata, such as links.
    """
    worst = deciding(detections)
    metadata: Metadata = {
        **_numbers(detections),
        **_particulars(detections, worst),
        **(more or {}),
        STATUS_KEY: MetadataValue.text(worst.status.value),
        DETECTOR_KEY: MetadataValue.text(worst.detector),
    }
    if worst.detector.startswith("reconciliation/"):
        # also the empty name: it tells a result of now from one that was made before pairs had any
        metadata[PAIR_KEY] = MetadataValue.text(worst.pair)
        if others := _red_besides(detections, worst):
            metadata[RED_PAIRS_KEY] = MetadataValue.json(others)
    if new := _new_columns(detections):
        metadata[NEW_COLUMNS_KEY] = MetadataValue.text(new)
    if repeated:
        metadata[REPEATED_KEY] = MetadataValue.bool(True)
        metadata["as_of"] = MetadataValue.timestamp(worst.observed_at)
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=worst.status in (DetectionStatus.PASSED, DetectionStatus.UNTRAINED),
        severity=severity_of(worst),
        description=_description(detections, worst, repeated=repeated),
        metadata=metadata,
    )


def _red_besides(detections: Sequence[Detection], worst: Detection) -> list[dict[str, str]]:
    """The worst result of each other pair that is red; for our own sensor to read."""
    red = [d for d in detections if d.status is DetectionStatus.FAILED]
    pairs = [d.pair for d in red if d.detector.startswith("reconciliation/")]
    of_pairs = (
        deciding([d for d in red if d.pair == pair])
        for pair in dict.fromkeys(pairs)
        if pair != worst.pair
    )
    return [
        {
            "detector": d.detector,
            "pair": d.pair,
            "severity": d.severity.value,
            "headline": d.headline,
        }
        for d in of_pairs
    ]


def _new_columns(detections: Sequence[Detection]) -> str:
    """Names of columns that a schema check found new, a line each; for our own sensor to read."""
    tables = (d.sample for d in detections if d.detector == "schema-drift" and d.sample)
    return "\n".join(
        str(record["column"])
        for table in tables
        for record in table.records()
        if record.get("change") == "column-added"
    )


def deciding(detections: Sequence[Detection]) -> Detection:
    """The detection that decides a check: the worst status, then the worst severity."""
    grades = (Severity.ERROR, Severity.WARN, Severity.INFO)
    return min(detections, key=lambda d: (_RANK.index(d.status), grades.index(d.severity)))


def severity_of(detection: Detection) -> dg.AssetCheckSeverity:
    """Dagster's severity; what could not run is never more than a warning."""
    failed = detection.status is DetectionStatus.FAILED
    error = failed and detection.severity is Severity.ERROR
    return dg.AssetCheckSeverity.ERROR if error else dg.AssetCheckSeverity.WARN


def evaluation_of(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """The same result for a place where checks are reported instead of executed."""
    if result.asset_key is None or result.check_name is None:
        raise ValueError("a check result without its key cannot be reported")
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata=result.metadata or {},
    )


def table(result: ResultTable) -> MetadataValue:
    """The first rows as a table with a schema; cells that JSON cannot hold become their text."""
    shown = result.rows[:_MAX_ROWS]
    columns = [
        TableColumn(name, type=_column_type([row[place] for row in shown]))
        for place, name in enumerate(result.columns)
    ]
    records = [
        TableRecord({n: _cell(v) for n, v in zip(result.columns, row, strict=True)})
        for row in shown
    ]
    return MetadataValue.table(records=records, schema=TableSchema(columns=columns))


def as_of(moment: datetime) -> str:
    """A moment as people read it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _description(detections: Sequence[Detection], worst: Detection, *, repeated: bool) -> str:
    # A summary has counted its methods itself.
    others = [
        d
        for d in detections
        if d.status is worst.status and d is not worst and "/" in worst.detector
    ]
    text = worst.headline
    if worst.status is DetectionStatus.COULD_NOT_RUN:
        text = f"Could not run: {text}"
    elif worst.status is DetectionStatus.UNTRAINED:
        text = text if text.lower().startswith("untrained") else f"Untrained: {text}"
    if worst.status is DetectionStatus.FAILED and others:
        text += f" (and {len(others)} more)"
    elif worst.status is DetectionStatus.PASSED and others:
        text += f" (and {len(others)} more agree)"
    return f"{text} (as of {as_of(worst.observed_at)})" if repeated else text


def _numbers(detections: Sequence[Detection]) -> Metadata:
    """Deciding numbers at the top level, where Dagster plots them by their label.

    An engine's summary (`anomaly`) has plain labels; the numbers of one of its methods
    (`reconciliation/row-count`) always say whose they are, so that a series keeps its label
    whatever else was found that day.
    """
    found: Metadata = {}
    for detection in detections:
        _, _, method = detection.detector.rpartition("/")
        summary = method == detection.detector
        for name, value in detection.metrics.items():
            label = name if summary or name == method else f"{method}: {name}"
            # A NaN or an infinity is no JSON: the whole page would fail to load.
            if math.isfinite(value):
                _add(found, label, value)
    return found


def _add(found: Metadata, label: str, value: float) -> None:
    number = MetadataValue.int(int(value)) if float(value).is_integer() else None
    shown = number or MetadataValue.float(value)
    if found.get(label) == shown:
        return
    same = sum(known == label or known.startswith(f"{label} #") for known in found)
    found[f"{label} #{same + 1}" if same else label] = shown


def _particulars(detections: Sequence[Detection], worst: Detection) -> Metadata:
    found: Metadata = {}
    if len(detections) > 1:
        rows = [(d.detector, d.status.value, d.headline) for d in detections]
        listed = ResultTable(columns=("method", "status", "what"), rows=tuple(rows))
        found["results"] = table(listed)
    if worst.sample is not None:
        found["sample"] = table(worst.sample)
    if worst.plot:
        found["history"] = MetadataValue.md(_picture(worst.plot, worst.headline))
    if worst.hint:
        found["next_step"] = MetadataValue.text(worst.hint)
    tree = next((e.result for e in worst.evidence if e.kind == "schema" and e.result), None)
    if tree is not None:
        found["impact"] = table(tree)
    queries = [(e.kind, e.query) for e in worst.evidence if e.query]
    if queries:
        found["queries"] = MetadataValue.md(queries_of(queries))
    return found


def _picture(svg: str, title: str) -> str:
    """An image inside the text: the UI allows data addresses, and nothing has to be served."""
    data = base64.b64encode(svg.encode()).decode()
    told = re.sub(r"[\[\]\n]", " ", title)
    return f"![{told}](data:image/svg+xml;base64,{data})"


def queries_of(queries: Iterable[tuple[str, str]]) -> str:
    """Titled SQL as Markdown."""
    shown = list(queries)[:_MAX_QUERIES]
    fence = "**{}**\n\n```sql\n{}\n```"
    return folded("\n\n".join(fence.format(title, query.strip()) for title, query in shown))


def folded(markdown: str) -> str:
    """The text with long lines inside its code blocks broken at spaces.

    The UI never breaks them, and one long line makes the whole page wider than the screen.
    """
    lines: list[str] = []
    inside = False
    for line in markdown.split("\n"):
        if line.startswith("```"):
            inside = not inside
        lines += _broken(line) if inside else [line]
    return "\n".join(lines)


def _broken(line: str) -> list[str]:
    sign = line[:1] if line[:1] in "+-" else " "
    return textwrap.wrap(
        line,
        _CODE_WIDTH,
        subsequent_indent=f"{sign}   ",
        expand_tabs=False,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [line]


def _cell(value: Cell) -> str | int | float | bool:
    if value is None:
        return "NULL"
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _column_type(values: Sequence[Cell]) -> str:
    kinds = {type(_cell(v)) for v in values if v is not None}
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int"
    return "float" if kinds and kinds <= {int, float} else "string"
