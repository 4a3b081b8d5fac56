from dagster import MetadataValue

from dagster_agent.definitions.inbox_metadata import inbox_metadata
from dagster_agent.definitions.names import Names
from dagster_agent.response import Inbox

from .conftest import MOMENT, a_finding, an_incident

NAMES = Names("agent")


def of(count: int) -> Inbox:
    findings = [a_finding(id=f"F-{number:06}") for number in range(count)]
    return Inbox(
        waiting=tuple(findings),
        open_incidents=(an_incident(), an_incident(id="I-2", title="nobody | looked *yet*")),
        closed_last_week=4,
        minutes_to_finding=1.5,
        generated_at=MOMENT,
    )


def test_what_waits_is_a_ranked_list_of_links() -> None:
    shown = inbox_metadata(of(1), NAMES)
    first, second = str(shown["inbox"].value).split("\n")
    assert first.startswith("1. [fct_orders lost 15 % of its rows](/assets/agent/findings?view=")
    assert first.endswith("F-000000 · open · confidence 0.94 · age 0 min")
    assert second.startswith("2. nobody")
    assert "|" not in second.replace("\\|", "")
    assert shown["waiting_for_a_person"] == MetadataValue.int(1)
    assert shown["closed_in_7_days"] == MetadataValue.int(4)
    assert shown["minutes_to_finding"] == MetadataValue.float(1.5)


def test_a_long_list_is_shown_in_parts_without_a_click() -> None:
    shown = inbox_metadata(of(15), NAMES)
    parts = [str(value.value) for label, value in shown.items() if label.startswith("inbox")]
    assert len(parts) > 1
    assert all(len(part) < 1000 for part in parts)
    lines = "\n".join(parts).split("\n")
    assert [int(line.split(".")[0]) for line in lines] == list(range(1, 17))
    crowded = inbox_metadata(of(200), NAMES)
    assert str(crowded["not_shown"].value).endswith(" more")
    assert len(crowded) < 20


def test_an_empty_inbox_says_so() -> None:
    nothing = Inbox(
        waiting=(),
        open_incidents=(),
        closed_last_week=0,
        minutes_to_finding=None,
        generated_at=MOMENT,
    )
    shown = inbox_metadata(nothing, NAMES)
    assert shown["inbox"].value == "Nothing waits for a person, and no incident is open."
