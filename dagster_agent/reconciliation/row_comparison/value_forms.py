"""SQL that gives a value the same form in every store: what rows of unlike types are compared by.

Two forms. `plain_form` is a bigint, double or text, cheap to make and to send. `text_form` is a
text that is never NULL, from which checksums are made. Both were found to be equal on DuckDB and
PostgreSQL; those of Snowflake and BigQuery follow their documentation. No form rounds: what it
cannot hold makes the statement fail or the texts differ, never two values equal.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_agent.reconciliation.canonical import ValueKind

DIALECTS = ("duckdb", "postgres", "snowflake", "bigquery")
"""Those whose forms are known."""
MISSING = "'~'"
"""SQL of the text form of NULL. Texts of values begin with their length or a digit."""

_NUMBER = r"^[+-]?[0-9]+([.][0-9]*)?$"
_FLOAT = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MOMENT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?( ?(Z|[+-][0-9:]+))?$"
)
_NAN_BITS = 0x7FF8 << 48
"""As PostgreSQL stores what is not a number."""
FAR = 9_223_372_036_854_775_807
"""Stands for the moment `infinity`."""


def plain_form(sql: str, source: ValueKind, kind: ValueKind, dialect: str) -> str:
    """SQL of the value as a bigint, double or text.

    Decimals that fit are times 10^scale, timestamps count units of 10^-scale seconds since 1970
    UTC (without a zone: read as UTC), dates count days.

    Args:
        sql: The column or expression.
        source: Its own kind.
        kind: The kind in which both sides are compared.
        dialect: One of `DIALECTS`.
    """
    if source.name == "text" and kind.name != "text":
        return _read(sql, kind, dialect)
    if kind.name in ("integer", "decimal"):
        return _scaled(sql, kind, dialect) if kind.small else _digits(sql, source, dialect)
    if kind.name == "float":
        return _float(sql, kind, dialect)
    if kind.name == "timestamp":
        return _units(sql, source, kind.scale, dialect)
    if kind.name == "date":
        return _days(sql, dialect)
    if kind.name == "time":
        return _seconds(sql, 6, dialect)
    if kind.name == "boolean":
        return _boolean(sql, source, dialect)
    return _words(sql, kind, dialect)


def mixed(sources: Sequence[ValueKind], kind: ValueKind) -> bool:
    """Whether one side is text that is read as something else, so that both become texts."""
    return kind.name != "text" and any(source.name == "text" for source in sources)


def as_text(sql: str, kind: ValueKind, dialect: str) -> str:
    """SQL of a plain form as text, NULL where it is."""
    if kind.name == "float":
        return _float_text(sql, dialect)
    return f"cast({sql} as {_string(dialect)})"


def text_form(sql: str, kind: ValueKind, dialect: str, *, is_text: bool) -> str:
    """SQL of a plain form as a text that is never NULL, and that no neighbour can be mixed up with.

    Args:
        sql: What `plain_form` gave.
        kind: Its kind.
        dialect: One of `DIALECTS`.
        is_text: It may hold any characters: its length is put before it.
    """
    text = f"cast({sql} as {_string(dialect)})"
    if kind.name == "float" and not is_text:
        text = _float_text(sql, dialect)
        if dialect in ("duckdb", "postgres"):
            text = f"cast({_float_bits(sql, dialect)} as {_string(dialect)})"
    if is_text:
        length = f"cast(length({text}) as {_string(dialect)})"
        text = f"{length} || ':' || {text}"
    return f"coalesce({text}, {MISSING})"


def joined(texts: Sequence[str], separator: str = " || '|' || ") -> str:
    """SQL of many texts as one; a tree that is not deep however many there are."""
    if len(texts) <= 16:
        return separator.join(texts) or "''"
    step = max(16, -(-len(texts) // 16))
    parts = [texts[i : i + step] for i in range(0, len(texts), step)]
    return separator.join(f"({joined(part, separator)})" for part in parts)


def hash_sum(number: str, dialect: str) -> str:
    """SQL that adds hash numbers up without overflow. Unlike XOR, a sum sees a row three times."""
    return f"sum(cast({number} as bignumeric))" if dialect == "bigquery" else f"sum({number})"


def _string(dialect: str) -> str:
    return {"bigquery": "string", "postgres": "text"}.get(dialect, "varchar")


def _whole(dialect: str) -> str:
    return {"bigquery": "int64", "snowflake": "number(38, 0)"}.get(dialect, "bigint")


def _scaled(sql: str, kind: ValueKind, dialect: str) -> str:
    factor = f"{sql} * {10**kind.scale}" if kind.scale > 0 else sql
    return f"cast({factor} as {_whole(dialect)})"


def _digits(sql: str, source: ValueKind, dialect: str) -> str:
    """Exact text of a number without zeros at its end."""
    text = f"cast({sql} as {_string(dialect)})"
    if source.name == "integer" or dialect == "bigquery":
        return text
    if dialect == "postgres":
        return f"cast(trim_scale({sql}) as text)"
    return f"rtrim(rtrim({text}, '0'), '.')"


def _float(sql: str, kind: ValueKind, dialect: str) -> str:
    name = {"bigquery": "float64", "duckdb": "double"}.get(dialect, "double precision")
    single = dialect in ("duckdb", "postgres") and kind.digits == 24
    # adding zero makes one zero of both; a double that a real is compared with is cut to one
    return f"cast(cast({sql} as real) + 0 as real)" if single else f"(cast({sql} as {name}) + 0)"


def _float_bits(sql: str, dialect: str) -> str:
    """The 64 bits of a double as an integer: exact and far cheaper than its text. Every number
    that is none gets the same bits."""
    if dialect == "duckdb":
        bits = f"cast(cast(cast({sql} as double) as bit) as bigint)"
        return f"case when isnan({sql}) then {_NAN_BITS} else {bits} end"
    bits = f"cast(cast('x' || encode(float8send({sql}), 'hex') as bit(64)) as bigint)"
    return f"case when {sql} = 'NaN' then {_NAN_BITS} else {bits} end"


def _float_text(sql: str, dialect: str) -> str:
    """Sign, digits and exponent of the shortest text that reads as the same number. Both stores
    find the same digits and write them differently: 1e+15 and 1000000000000000.0."""
    text = f"lower(cast({sql} as {_string(dialect)}))"
    mantissa = f"split_part(replace({text}, '-', ''), 'e', 1)"
    exponent = f"coalesce(cast(nullif(split_part({text}, 'e', 2), '') as integer), 0)"
    whole = f"split_part({mantissa}, '.', 1)"
    digits = f"replace({mantissa}, '.', '')"
    significant = f"ltrim({digits}, '0')"
    power = f"({exponent} + length({whole}) - length({digits}) + length({significant}))"
    plain = (
        f"case when {sql} < 0 then '-' else '' end || rtrim({significant}, '0') || 'e' || "
        f"cast({power} as {_string(dialect)})"
    )
    return (
        f"case when {text} like '%nan%' then 'nan' when {text} like '-inf%' then '-inf' "
        f"when {text} like 'inf%' then 'inf' when {sql} = 0 then '0' else {plain} end"
    )


def _units(sql: str, source: ValueKind, scale: int, dialect: str) -> str:
    if source.name == "date":
        return _at_most(f"{_days(sql, dialect)} * {86400 * 10**scale}", sql, dialect)
    if source.scale <= scale:
        return _at_most(_seconds(sql, scale, dialect), sql, dialect, near=_near(sql, scale))
    step = 10 ** (source.scale - scale)
    fine = _seconds(sql, source.scale, dialect)
    remainder = f"mod(mod({fine}, {step}) + {step}, {step})"
    floor = f"({fine} - {remainder}) {'//' if dialect == 'duckdb' else '/'} {step}"
    return _at_most(f"cast({floor} as {_whole(dialect)})", sql, dialect)


def _near(sql: str, scale: int) -> str:
    """PostgreSQL's units of moments from 1850 to 2100, in a third of the exact form's time: seconds
    below 2^32 and microseconds below 2^52 are doubles less than a quarter off; the cast rounds."""
    units = f"cast(date_part('epoch', {sql}) * {10**scale} as bigint)"
    return f"when {sql} >= '1850-01-01' and {sql} < '2100-01-01' then {units} "


def _at_most(units: str, sql: str, dialect: str, *, near: str = "") -> str:
    """Infinite moments, where the store has them; DuckDB would make NULL of them."""
    if dialect not in ("duckdb", "postgres"):
        return units
    zero = "cast('1970-01-01' as date)"
    return (
        f"case {near if dialect == 'postgres' else ''}when isfinite({sql}) then {units} "
        f"when {sql} > {zero} then {FAR} when {sql} < {zero} then -{FAR} end"
    )


def _seconds(sql: str, scale: int, dialect: str) -> str:
    """Units of 10^-scale seconds since 1970, or since midnight."""
    if dialect == "duckdb":
        if scale > 6:
            return f"epoch_ns({sql})" if scale == 9 else f"(epoch_ns({sql}) // {10 ** (9 - scale)})"
        return f"epoch_us({sql})" if scale == 6 else f"(epoch_us({sql}) // {10 ** (6 - scale)})"
    if dialect == "snowflake":
        return f"trunc(date_part(epoch_nanosecond, {sql}) / {10 ** (9 - scale)})"
    if dialect == "bigquery":
        return f"div(unix_micros(cast({sql} as timestamp)), {10 ** (6 - min(scale, 6))})"
    return f"cast(extract(epoch from {sql}) * {10**scale} as bigint)"


def _days(sql: str, dialect: str) -> str:
    return {
        "snowflake": f"datediff('day', cast('1970-01-01' as date), {sql})",
        "bigquery": f"unix_date(cast({sql} as date))",
    }.get(dialect, f"(cast({sql} as date) - cast('1970-01-01' as date))")


def _boolean(sql: str, source: ValueKind, dialect: str) -> str:
    if source.name == "boolean":
        return f"case when {sql} then '1' when not {sql} then '0' end"
    return f"cast({sql} as {_string(dialect)})"


def _words(sql: str, kind: ValueKind, dialect: str) -> str:
    if kind.name == "json" and dialect == "postgres":
        return f"cast(cast({sql} as jsonb) as text)"
    if kind.name == "binary":
        encoded = {
            "postgres": f"encode({sql}, 'hex')",
            "snowflake": f"hex_encode({sql})",
            "bigquery": f"to_hex({sql})",
        }.get(dialect, f"hex({sql})")
        return f"lower({encoded})"
    text = f"cast({sql} as {_string(dialect)})"
    if kind.name == "uuid":
        return f"lower({text})"
    return f"rtrim({text})" if kind.padded else text


def _read(sql: str, kind: ValueKind, dialect: str) -> str:
    """The text form of what a text says; the text itself where it says nothing of that kind."""
    text = f"trim(cast({sql} as {_string(dialect)}))"
    if kind.name in ("integer", "decimal"):
        kept = _group(1, dialect) + _group(2, dialect)
        bare = f"regexp_replace({text}, '^[+]?(-?)0*([0-9])', '{kept}')"
        short = f"case when {bare} like '%.%' then rtrim(rtrim({bare}, '0'), '.') else {bare} end"
        short = f"case when {short} = '-0' then '0' else {short} end"
        return _when(text, _NUMBER, short, dialect)
    if kind.name == "float":
        number = (
            f"cast(case when {_matches(text, _FLOAT, dialect)} then {text} end as double precision)"
        )
        exact = _float_text(_float(number, kind, dialect), dialect)
        return _when(text, _FLOAT, exact, dialect)
    if kind.name == "boolean":
        low = f"lower({text})"
        return (
            f"case when {low} in ('t', 'true', '1') then '1' "
            f"when {low} in ('f', 'false', '0') then '0' else {text} end"
        )
    if kind.name in ("date", "timestamp"):
        return _read_moment(text, kind, dialect)
    return f"lower({text})"


def _read_moment(text: str, kind: ValueKind, dialect: str) -> str:
    pattern = _DATE if kind.name == "date" else _MOMENT
    type_ = "date" if kind.name == "date" else "timestamp with time zone"
    if dialect == "snowflake" and kind.name == "timestamp":
        type_ = "timestamp_tz"
    text_at = text
    if kind.name == "timestamp":
        # a text without a zone is UTC, as a timestamp without one is
        zone = _matches(text, "(Z|[+-][0-9:]+)$", dialect)
        bare = f"length({text}) <= 19 or not {zone}"
        text_at = f"case when {bare} then {text} || '+00' else {text} end"
    moment = f"cast(case when {_matches(text, pattern, dialect)} then {text_at} end as {type_})"
    form = (
        _days(moment, dialect)
        if kind.name == "date"
        else _units(moment, ValueKind(name="timestamp", scale=6), min(kind.scale, 6), dialect)
    )
    return _when(text, pattern, f"cast({form} as {_string(dialect)})", dialect)


def _when(text: str, pattern: str, form: str, dialect: str) -> str:
    return f"case when {_matches(text, pattern, dialect)} then {form} else {text} end"


def _matches(text: str, pattern: str, dialect: str) -> str:
    if dialect == "postgres":
        return f"{text} ~ '{pattern}'"
    if dialect == "bigquery":
        return f"regexp_contains({text}, '{pattern}')"
    if dialect == "snowflake":
        return f"regexp_count({text}, '{pattern}') > 0"
    return f"regexp_matches({text}, '{pattern}')"


def _group(number: int, dialect: str) -> str:
    return rf"\\{number}" if dialect in ("snowflake", "bigquery") else rf"\{number}"
