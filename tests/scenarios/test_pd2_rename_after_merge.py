"""PD2: "column user_id does not exist" after a merge that renamed it upstream."""

from __future__ import annotations

from tests.scenarios.conftest import Shop, failed_run


def test_the_commit_is_found_and_the_children_are_mended(shop: Shop) -> None:
    shop.replace("models/staging/stg_orders.sql", "    user_id,", "    user_id as buyer_id,")
    sha = shop.commit("Name the buyer as everybody does (#41)")
    log = shop.build()
    assert "Binder Error" in log
    assert "user_id" in log

    finding = shop.investigate([failed_run(log, "model.shop.fct_orders")])

    report = finding.report
    assert report.cause is not None
    assert report.cause.pattern == "upstream-column-renamed"
    assert report.cause.commit == sha
    assert report.verification is not None
    assert report.verification.verified
    assert report.change is not None
    (edit,) = report.change.edits
    assert edit.path == "models/marts/fct_orders.sql"
    assert "buyer_id as user_id" in edit.after
    assert finding.pull_request is not None
    assert finding.pull_request.state == "draft"
    body = next((shop.root.parent).rglob(f"*{finding.pull_request.number}*.md")).read_text()
    assert sha[:7] in body
