"""How a dialect spells what a profile needs.

DuckDB and PostgreSQL are run in the tests, Snowflake through an emulation; what is said of
BigQuery, Redshift and Databricks is from their manuals and only checked to parse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagster_agent.sql.identifiers import quote

LARGEST = "1e150"
"""Numbers beyond it are left out with NaN and the infinite ones: their squares overflow."""
_DOUBLE = {"postgres": "DOUBLE PRECISION", "redshift": "DOUBLE PRECISION", "bigquery": "FLOAT64"}
_TEXT = {"bigquery": "STRING", "databricks": "STRING", "spark": "STRING"}
_WITHIN_GROUP = frozenset({"postgres", "snowflake", "redshift"})
_MATCH = {
    "duckdb": "regexp_full_match({value}, {pattern})",
    "postgres": "{value} ~ {anchored}",
    "redshift": "{value} ~ {anchored}",
    "snowflake": "regexp_like({value}, {pattern})",
    "bigquery": "regexp_contains({value}, {anchored})",
}
_UTC = {
    "bigquery": "DATE({value})",
    "snowflake": "CAST(convert_timezone('UTC', {value}) AS DATE)",
    "databricks": "CAST({value} AS DATE)",
    "spark": "CAST({value} AS DATE)",
}


@dataclass(frozen=True, slots=True)
class Grammar:
    """Pieces of SQL in one dialect; arguments are SQL too."""

    dialect: str
    """sqlglot's name."""

    def name(self, identifier: str) -> str:
        """The identifier, quoted."""
        return quote(identifier, self.dialect)

    def literal(self, text: str) -> str:
        """The text as a literal."""
        from sqlglot import exp

        return exp.Literal.string(text).sql(dialect=self.dialect)

    def double(self, value: str) -> str:
        """As a floating-point number."""
        return f"CAST({value} AS {_DOUBLE.get(self.dialect, 'DOUBLE')})"

    def text(self, value: str) -> str:
        """As text."""
        return f"CAST({value} AS {_TEXT.get(self.dialect, 'VARCHAR')})"

    def fingerprint(self, value: str) -> str:
        """Eight hexadecimal digits that do not tell the text."""
        digest = f"md5({value})"
        if self.dialect == "bigquery":
            digest = f"to_hex({digest})"
        return f"concat('#', substr({digest}, 1, 8))"

    def distinct(self, value: str) -> str | None:
        """Approximate number of distinct values; None where there is no such function."""
        if self.dialect == "postgres":
            return None
        if self.dialect == "redshift":
            return f"APPROXIMATE COUNT(DISTINCT {value})"
        return f"approx_count_distinct({value})"

    @property
    def one_by_one(self) -> bool:
        """A single process computes grouping sets, where several could share a plain GROUP BY."""
        return self.dialect == "postgres"

    def quantile_list(self, value: str, shares: Sequence[float]) -> str | None:
        """One expression for all shares, whose result reads `[1.5, 2.5]`; None where there is none.

        One list costs a fifth of as many single quantiles.
        """
        if self.dialect != "duckdb":
            return None
        return f"quantile_cont({value}, [{', '.join(str(share) for share in shares)}])"

    def histogram(self, value: str, edges: Sequence[float]) -> str | None:
        """One expression for the counts up to each edge that are above the one before.

        Its result reads `[3, 0, 12]`, with one more count for values beyond the last edge where
        there are any, and is NULL without values; None where the dialect has no such function. Ten
        counts of their own cost more to check and to plan than a sample costs to read.
        """
        if self.dialect != "duckdb":
            return None
        # with an exponent they are doubles: as decimals a list would round some of them
        cuts = (f"{edge!r}" if "e" in repr(edge) else f"{edge!r}e0" for edge in edges)
        return f"map_values(histogram({value}, [{', '.join(cuts)}]))"

    def quantile(self, value: str, share: float) -> str:
        """The quantile of a share that is a multiple of 0.05."""
        if self.dialect == "bigquery":
            return f"approx_quantiles({value}, 20)[OFFSET({round(share * 20)})]"
        if self.dialect in _WITHIN_GROUP:
            return f"percentile_cont({share}) WITHIN GROUP (ORDER BY {value})"
        return f"percentile({value}, {share})"

    def matches(self, value: str, pattern: str) -> str:
        """Whether the whole text matches a regular expression."""
        anchored = self.literal(f"^(?:{pattern})$")
        shape = _MATCH.get(self.dialect, "regexp_like({value}, {anchored})")
        return shape.format(value=value, pattern=self.literal(pattern), anchored=anchored)

    def day(self, value: str, *, zoned: bool) -> str:
        """The date in UTC; a moment without a zone is taken to be in UTC already."""
        if not zoned:
            return f"CAST({value} AS DATE)"
        shape = _UTC.get(self.dialect, "CAST({value} AT TIME ZONE 'UTC' AS DATE)")
        return shape.format(value=value)

    def sampled(
        self, columns: str, relation: str, share: float, *, view: bool, blocks: bool
    ) -> str:
        """A query for a share of the rows.

        Args:
            columns: What to select.
            relation: From where.
            share: Of the rows; 1 for all.
            view: It is no table.
            blocks: Skip whole blocks of rows, so that less is read. Neighbours are alike in most
                tables, so single rows say more; where blocks are small (PostgreSQL) or reading is
                paid by the byte (BigQuery) blocks are taken all the same.
        """
        query = f"SELECT {columns} FROM {relation}"
        if share >= 1:
            return query
        percent = f"{max(share, 1e-6) * 100:.6f}".rstrip("0").rstrip(".")
        if self.dialect in ("duckdb", "snowflake"):
            by = "SYSTEM" if blocks and not view else "BERNOULLI"
            unit = " PERCENT" if self.dialect == "duckdb" else ""
            return f"{query} TABLESAMPLE {by} ({percent}{unit})"
        if self.dialect in ("bigquery", "postgres") and not view:
            unit = " PERCENT" if self.dialect == "bigquery" else ""
            return f"{query} TABLESAMPLE SYSTEM ({percent}{unit})"
        if self.dialect in ("databricks", "spark"):
            return f"{query} TABLESAMPLE ({percent} PERCENT)"
        chance = "rand()" if self.dialect == "bigquery" else "random()"
        return f"{query} WHERE {chance} < {share:.8f}"
