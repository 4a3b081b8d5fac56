"""WT3: a CRM source is added: a baseline, not an alarm; nothing is assumed that people must say.

Detection only. Scaffolding is not covered: writing staging models, tests, freshness and docs for
the source, and the decisions that only a model to be written asks for (attribution window, MRR or
ARR). Of the four decisions, entity resolution and ownership are asked here.
"""

from __future__ import annotations

from dataclasses import replace

from click.testing import CliRunner

from dagster_agent.cli import main
from dagster_agent.model import Detection, DetectionStatus
from dagster_agent.response import detect
from dagster_agent.response.detection import engines_of, watched_assets
from dagster_agent.response.monitoring import profile
from tests.scenarios.conftest import Shop

CONTACTS = "source.shop.crm.contacts"
PEOPLE = (
    "'anna' || i || '@mail.example' as email, "
    "['Anna', 'Peter', 'Maria'][1 + i % 3] || ' ' || ['Berg', 'Schmidt'][1 + i % 2] as full_name"
)
CUSTOMERS = f"""create table raw.customers as
select i::bigint as customer_id, {PEOPLE}, timestamp '2026-05-01' + i * interval 1 day as created_at
from range(1, 201) t(i)"""
CRM = f"""create table crm.contacts as
select 'C-' || (9000 + i) as contact_id, i::bigint as customer_id, {PEOPLE},
    case when i = 77 then 'dead' else 'lead' end as stage,
    timestamp '2026-11-20 20:00:00' + i * interval 1 minute as synced_at
from range(61, 301) t(i)"""
FILES = {
    "models/staging/stg_customers.sql": "select * from {{ source('raw', 'customers') }}\n",
    "models/staging/customers.yml": """models:
  - name: stg_customers
    columns:
      - name: customer_id
        data_tests: [unique, not_null]
""",
    "models/crm.yml": """sources:
  - name: crm
    schema: crm
    tables:
      - name: contacts
        config:
          meta:
            dagster_agent:
              invariants: ["stage is always one of lead, customer"]
""",
}
TABLES = "      - name: payments\n"


def _add_the_crm(shop: Shop) -> None:
    """The vendor's connector lands a table, and somebody describes it."""
    shop.sql(CUSTOMERS, "create table stg_customers as from raw.customers")
    shop.replace("models/sources.yml", TABLES, TABLES + "      - name: customers\n")
    shop.sql("create schema crm", CRM)
    for name, text in FILES.items():
        shop.write(name, text)
    shop.commit("Load the CRM")


def _looks(shop: Shop) -> list[Detection]:
    with shop.workspace() as opened:
        assert CONTACTS in watched_assets(opened)
        engines = engines_of(opened, CONTACTS)
        assert engines == ("reconciliation", "schema-drift", "anomaly", "quality")
        return [d for engine in engines for d in detect(opened, CONTACTS, engine, now=shop.now)]


def test_the_next_look_takes_a_baseline_and_asks(shop: Shop) -> None:
    shop.get_to_know()
    _add_the_crm(shop)

    found = {d.detector: d for d in _looks(shop)}

    drift = found["schema-drift"]
    assert drift.status is DetectionStatus.UNTRAINED
    assert drift.headline == "first snapshot of contacts: 6 columns, taken as right"
    by_its_past = [d for d in found.values() if d.detector.startswith("anomaly")]
    assert {d.status for d in by_its_past} == {DetectionStatus.UNTRAINED}
    assert "untrained" in found["anomaly"].headline
    broken = [d for d in found.values() if d.status is DetectionStatus.FAILED]
    assert {d.detector.split("/")[0] for d in broken} == {"quality"}  # as declared: one is 'dead'

    (sample,) = (d.sample for d in broken if d.detector.startswith("quality/invariant/"))
    assert sample is not None
    (row,) = (dict(zip(sample.columns, row, strict=True)) for row in sample.rows)
    assert (row["customer_id"], row["stage"]) == (77, "dead")
    assert (row["email"], row["full_name"]) == ("‹text›", "‹text›")
    with shop.workspace() as opened:
        measured = profile(opened, CONTACTS, now=shop.now)
    for told in (repr(list(found.values())), repr(replace(measured, relation=measured.relation))):
        assert "mail.example" not in told
        assert "Berg" not in told

    _init_proposes_and_asks(shop)

    shop.sql("alter table crm.contacts drop column stage")  # what it took as right, it holds to
    (gone,) = [d for d in shop.look("crm.contacts", "schema-drift") if "stage" in d.headline][:1]
    assert gone.status is DetectionStatus.FAILED


def _init_proposes_and_asks(shop: Shop) -> None:
    where = ("--project-dir", str(shop.root), "--state-dir", str(shop.state))
    done = CliRunner().invoke(main, ["init", *where, "--asset", "stg_customers"])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()

    owners = lines.index("nobody is named for: 4 of 4 sources")
    assert lines[owners + 1 : owners + 3] == [
        "  crm.contacts, raw.customers, raw.orders, raw.payments",
        "  who answers for them? `owner` under `meta: dagster_agent:`; it is not guessed",
    ]
    at = lines.index("  stg_customers and shop.crm.contacts (score 0.60)")
    assert lines[at + 1 : at + 4] == [
        "    70.0 % of 200 sampled customer_id of stg_customers are in contacts.customer_id,"
        " 58.3 % of 240 the other way",
        "    ask first: 30.0 % of the customers of stg_customers are not in contacts, 41.7 % the"
        " other way: are those other customers, or the same customer under another customer_id?",
        "    merge into models/staging/customers.yml:",
    ]
