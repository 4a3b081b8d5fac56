{# An amount in euros, at the rate of the seed `currencies`. #}
{% macro in_eur(amount, units_per_eur) -%}
cast({{ amount }} / {{ units_per_eur }} as decimal(18, 2))
{%- endmacro %}
