from __future__ import annotations

import dataclasses

import pytest
from markdown_it import MarkdownIt

from dagster_agent.actions.pull_request_body import render_body
from dagster_agent.actions.quoting import Quoter
from dagster_agent.errors import ConfigError
from dagster_agent.model import Evidence, FileEdit, Finding, ResultTable

SHA = "9ab41de" + "0" * 33

WHOLE = f"""\
**stg_flights lost 15.6 % of its rows since Tuesday 06:12 UTC**

**Cause (0.94, tested).** A left join to `planes` became an inner join \
(`models/stg_flights.sql`, line 3; commit `3f2a1c9`) Pattern: `inner-join-drops-rows`.

|  | evidence |  |
| --- | --- | --- |
| E1 | row accounting | 336,776 rows in, 284,170 out; all are lost at join 1 (`planes`) |
| E2 | timeline | one commit (`3f2a1c9`) |

### Proof

Tried in a sandbox, in 4 seconds. 61 dbt tests pass with the change, none is broken by it.

| step | as expected | seen |
| --- | --- | --- |
| reproduce | yes | 284,170 of 336,776 rows |
| recheck | yes | 336,776 rows |

Before:

| rows |
| --- |
| 284170 |

After:

| rows |
| --- |
| 336776 |

### Data with and without the change

| model | rows before | rows after | only after | only before | columns |
| --- | --- | --- | --- | --- | --- |
| `model.flights.stg_flights` | 284,170 | 336,776 | 52,606 | 0 | `+plane_known` |

### Change

A left join keeps every flight; nothing reads the columns of `planes`.

```diff
--- a/models/stg_flights.sql
+++ b/models/stg_flights.sql
@@ -1,3 +1,3 @@
 select f.*
 from flights f
-join planes p on f.tailnum = p.tailnum
+left join planes p on f.tailnum = p.tailnum
```

**Ruled out:** the load (E1).

**Blast radius:** 2 models, exposure On-time dashboard (@\u200bops-analytics). \
Departures per day are understated by 144.

`model.flights.daily`, `model.flights.stg_flights`

**Rollback:** `git revert {SHA}`; after a squash merge, revert the merged commit.

**How to decide:** this is a draft. Approve finding `F-0a1b2c` in Dagster and it becomes ready for \
review; reject it there and it is closed. Merging is up to people, here.

Incident `I-3F2A1C`, finding `F-0a1b2c`.
"""


def render(finding: Finding, *secrets: str) -> str:
    return render_body(finding, head_sha=SHA, quoter=Quoter(secrets))


def test_the_whole_text(finding: Finding) -> None:
    assert render(finding) == WHOLE


def test_nothing_from_outside_can_act(finding: Finding) -> None:
    evil = "Fixes #12 @ops ![x](http://evil.example/p.png) <img src=x> ```\n# Approved\n"
    report = finding.report
    assert report.cause is not None
    assert report.change is not None
    assert report.verification is not None
    assert report.blast_radius is not None
    edit = FileEdit(path="models/x.sql", before="a\n", after=f"-- ```\n{evil}b\n")
    report = dataclasses.replace(
        report,
        headline=evil,
        evidence=(Evidence(kind="timeline", statement=evil, id="E1", source=evil),),
        cause=dataclasses.replace(report.cause, mechanism=evil, commit=evil, files=(evil,)),
        ruled_out=(evil,),
        blast_radius=dataclasses.replace(
            report.blast_radius, exposures=(evil,), statement=evil, models=(evil,)
        ),
        change=dataclasses.replace(report.change, rationale=evil, edits=(edit,)),
        verification=dataclasses.replace(
            report.verification, before=ResultTable(columns=(evil,), rows=((evil,),))
        ),
    )
    body = render(dataclasses.replace(finding, report=report))
    headings: list[str] = []
    markdown = MarkdownIt("gfm-like", {"linkify": False})
    tokens = markdown.parse(body)
    for place, token in enumerate(tokens):
        assert token.type != "html_block"
        if token.type == "heading_open":
            headings.append(tokens[place + 1].content)
        for child in token.children or []:
            assert child.type not in {"link_open", "image", "html_inline"}
            assert child.type != "text" or "@ops" not in child.content
            assert child.type != "text" or "#12" not in child.content
    assert headings == ["Proof", "Data with and without the change", "Change"]


def test_secrets_do_not_appear(finding: Finding) -> None:
    statement = "connected with snowflake://me:hunter2hunter2@acme and s3cr3t-value"
    evidence = (Evidence(kind="run", statement=statement, id="E1"),)
    report = dataclasses.replace(finding.report, evidence=evidence)
    body = render(dataclasses.replace(finding, report=report), "s3cr3t-value")
    assert "hunter2" not in body
    assert "s3cr3t" not in body


def test_long_things_are_cut_and_say_so(finding: Finding) -> None:
    assert finding.report.change is not None
    lines = "".join(f"select {n}\n" for n in range(1000))
    edit = FileEdit(path="models/x.sql", before=None, after=lines)
    change = dataclasses.replace(finding.report.change, edits=(edit,))
    report = dataclasses.replace(finding.report, change=change)
    body = render(dataclasses.replace(finding, report=report))
    assert "select 396\n" in body
    assert "select 397\n" not in body
    assert "603 more lines are in the branch." in body


def test_without_proof_there_is_no_text(finding: Finding) -> None:
    report = dataclasses.replace(finding.report, verification=None)
    with pytest.raises(ConfigError, match="F-0a1b2c has no verified change"):
        render(dataclasses.replace(finding, report=report))
