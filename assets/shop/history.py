"""How the shop's dbt project came to be: thirteen commits by three people, and a careless one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from assets.project_history import Author, Edit, PlannedCommit

JONAS = Author(name="Jonas Lindqvist", email="jonas@shop.example")
MARA = Author(name="Mara Vogt", email="mara@shop.example")
PRIYA = Author(name="Priya Nair", email="priya@shop.example")

ENRICHED = "models/intermediate/int_orders_enriched"

CARELESS_SUBJECT = "Tidy joins in int_orders_enriched"
CARELESS_EDITS: dict[str, list[Edit]] = {
    f"{ENRICHED}.sql": [
        ("-- one row per order, with its buyer, its currency and its campaign\n", ""),
        (
            "inner join currencies on orders.currency = currencies.currency_code\n"
            "left join customers on orders.customer_id = customers.customer_id\n",
            "inner join customers on orders.customer_id = customers.customer_id\n"
            "inner join currencies on orders.currency = currencies.currency_code\n",
        ),
    ],
    f"{ENRICHED}.yml": [
        (
            "Orders with their currency, what is known of the buyer, and the campaign.",
            "Orders with buyer, currency and campaign.",
        )
    ],
}

_CAMPAIGN_COLUMN = """\
      - name: campaign
        description: Null without a promotion, and for codes from the influencer tool.
"""
_PROMOTIONS_SEED = """
  - name: promotions
    description: >-
      Promotions as marketing keeps them. Codes from the influencer tool are not in here.
    columns:
      - name: promo_code
        data_tests: [unique]
"""
_WITHOUT_PROMOTIONS: dict[str, list[Edit]] = {
    f"{ENRICHED}.sql": [
        (", its currency and its campaign", " and its currency"),
        (
            "),\n\npromotions as (\n\n    select * from {{ ref('promotions') }}\n\n)\n",
            ")\n",
        ),
        ("    promotions.campaign,\n", ""),
        ("left join promotions on orders.promo_code = promotions.promo_code\n", ""),
    ],
    f"{ENRICHED}.yml": [
        (", what is known of the buyer, and the campaign", " and what is known of the buyer"),
        (_CAMPAIGN_COLUMN, ""),
    ],
    "models/marts/finance/fct_orders.sql": [("    orders.campaign,\n", "")],
    "models/marts/finance/fct_orders.yml": [(_CAMPAIGN_COLUMN, "")],
    "seeds/seeds.yml": [(_PROMOTIONS_SEED, "")],
}


def _ledger(fact: str, ours: str, theirs: str, table: str) -> dict[str, list[Edit]]:
    """The yml of a fact from before it was reconciled with the processor's ledger."""
    settings = (
        "          reconcile:\n"
        "            - name: ledger\n"
        "              with:\n"
        "                duckdb: \"{{ env_var('SHOP_HOME', '..') }}/processor.duckdb\"\n"
        f"                table: ledger.{table}\n"
        f"              key: {{{ours}: {theirs}}}\n"
        "              measures: {amount_minor: minor_amount}\n"
    )
    return {f"models/marts/finance/{fact}.yml": [(settings, "")]}


_WITHOUT_LEDGER = {
    **_ledger("fct_payments", "processor_charge_id", "charge", "charges"),
    **_ledger("fct_refunds", "processor_refund_id", "refund", "refunds"),
}
_WITHOUT_FRESHNESS: dict[str, list[Edit]] = {
    "models/staging/sources.yml": [
        (
            "    config:\n"
            "      loaded_at_field: synced_at\n"
            "      freshness:\n"
            "        warn_after: {count: 4, period: day}\n"
            "        error_after: {count: 8, period: day}\n",
            "",
        ),
        ("        config:\n          freshness: null\n", ""),
        (
            "        config:\n"
            "          freshness:\n"
            "            warn_after: {count: 6, period: day}\n"
            "            error_after: {count: 10, period: day}\n",
            "",
        ),
    ]
}


def shop_history(today: date) -> list[PlannedCommit]:
    """The commits up to six days before `today`, oldest first."""

    def at(days_ago: int, hour: int, minute: int) -> datetime:
        return datetime.combine(today - timedelta(days=days_ago), time(hour, minute), tzinfo=UTC)

    return [*_first_weeks(at), *_later_weeks(at)]


At = Callable[[int, int, int], datetime]
"""A moment: days ago, hour, minute."""
FINANCE, GROWTH = "models/marts/finance", "models/marts/growth"


def _first_weeks(at: At) -> list[PlannedCommit]:
    return [
        PlannedCommit(
            subject="Start the shop project with its sources and the staging of orders",
            author=JONAS,
            at=at(44, 9, 12),
            files=[
                *(".gitignore", "README.md", "dbt_project.yml", "profiles.yml"),
                *("models/staging/sources.yml", "models/staging/stg_order*"),
                *("seeds/currencies.csv", "seeds/seeds.yml"),
            ],
            as_it_was={
                **_WITHOUT_FRESHNESS,
                "seeds/seeds.yml": _WITHOUT_PROMOTIONS["seeds/seeds.yml"],
            },
        ),
        PlannedCommit(
            subject="Stage customers, products, payments and refunds",
            author=JONAS,
            at=at(41, 14, 37),
            files=["models/staging/stg_[!g]*.*"],
        ),
        PlannedCommit(
            subject="Add int_orders_enriched with amounts in euros",
            author=MARA,
            at=at(37, 10, 5),
            files=["macros/in_eur.sql", f"{ENRICHED}.*", "models/intermediate/int_order_totals.*"],
            as_it_was=_WITHOUT_PROMOTIONS,
        ),
        PlannedCommit(
            subject="Add fct_payments and fct_refunds",
            author=MARA,
            at=at(34, 16, 21),
            files=[
                *(f"{FINANCE}/fct_payments.*", f"{FINANCE}/fct_refunds.*"),
                *("models/intermediate/int_payments*", "models/intermediate/int_refunds*"),
            ],
            as_it_was=_WITHOUT_LEDGER,
        ),
        PlannedCommit(
            subject="Add fct_orders and fct_order_items",
            author=MARA,
            at=at(30, 11, 48),
            files=[f"{FINANCE}/fct_order*"],
            as_it_was=_WITHOUT_PROMOTIONS,
        ),
        PlannedCommit(
            subject="Add dim_customers and customer_lifetime_value",
            author=PRIYA,
            at=at(27, 9, 3),
            files=[
                "models/intermediate/int_customer_orders.*",
                *(f"{GROWTH}/dim_customers.*", f"{GROWTH}/customer_lifetime_value.*"),
            ],
        ),
    ]


def _later_weeks(at: At) -> list[PlannedCommit]:
    return [
        PlannedCommit(
            subject="Add dim_products and product_performance",
            author=PRIYA,
            at=at(23, 15, 30),
            files=[f"{GROWTH}/dim_products.*", f"{GROWTH}/product_performance.*"],
        ),
        PlannedCommit(
            subject="Add revenue_daily and revenue_by_country",
            author=MARA,
            at=at(20, 13, 15),
            files=[f"{FINANCE}/revenue_*"],
        ),
        PlannedCommit(
            subject="Add gift_cards_daily",
            author=PRIYA,
            at=at(18, 10, 26),
            files=["models/staging/stg_gift_cards.*", f"{GROWTH}/gift_cards_daily.*"],
        ),
        PlannedCommit(
            subject="Declare the dashboards that read the marts",
            author=MARA,
            at=at(16, 8, 54),
            files=["models/exposures.yml"],
        ),
        PlannedCommit(
            subject="Orders know their campaign",
            author=PRIYA,
            at=at(13, 17, 2),
            files=["seeds/*", f"{ENRICHED}.*", f"{FINANCE}/fct_orders.*"],
        ),
        PlannedCommit(
            subject="Reconcile payments and refunds with the processor's ledger",
            author=MARA,
            at=at(9, 10, 40),
            files=[f"{FINANCE}/fct_payments.yml", f"{FINANCE}/fct_refunds.yml"],
        ),
        PlannedCommit(
            subject="Watch source freshness, test what finance asked for",
            author=JONAS,
            at=at(6, 12, 26),
            files=["models/staging/sources.yml", "tests/*"],
        ),
    ]
