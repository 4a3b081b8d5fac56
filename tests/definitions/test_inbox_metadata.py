from dagster import MetadataValue, TableMetadataValue

from dagster_agent.definitions.inbox_metadata import health_metadata, inbox_metadata
from dagster_agent.definitions.names import Names
from dagster_agent.model import ResultTable
from dagster_agent.response import Inbox
from dagster_agent.response.health import Health

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


def test_scores_are_shown_in_few_columns() -> None:
    """A page at 1440 pixels has room for three; it cuts off what is wider."""
    columns = ("domain", "assets", "score", "week_before", "below_target", "worst_asset")
    rows = (("marts", 4, 0.9105, 0.95, 1, "fct_orders"), ("staging", 2, 1.0, None, 0, "stg_orders"))
    nothing = Health(groups=(), at=MOMENT)
    shown = health_metadata(nothing, ResultTable(columns=columns, rows=rows))
    assert list(shown) == ["quality"]
    assert isinstance(shown["quality"], TableMetadataValue)
    assert [record.data for record in shown["quality"].records] == [
        {
            "domain": "marts",
            "score": "91.0%",
            "what": "1 of 4 below target, worst fct_orders; 95.0% a week before",
        },
        {"domain": "staging", "score": "100.0%", "what": "0 of 2 below target"},
    ]
