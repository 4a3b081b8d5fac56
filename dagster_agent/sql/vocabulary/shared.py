"""Functions that most warehouses have and that only compute on their arguments."""

from __future__ import annotations

SHARED = """
    abs acos acosh add_months array_agg ascii asin asinh atan atan2 atanh avg bit_length btrim
    cbrt ceil ceiling char char_length character_length chr coalesce concat concat_ws corr cos
    cosh cot count covar_pop covar_samp cume_dist current_date current_time current_timestamp
    date_part date_trunc dayofmonth dayofweek dayofyear degrees dense_rank div exp factorial
    first_value floor greatest grouping grouping_id if ifnull initcap instr isnull
    json_array_length lag last_day last_value lcase lead least left len length listagg ln
    localtime localtimestamp log log10 log2 lower lpad ltrim max md5 median min mod monthname
    months_between now nth_value ntile nullif nvl nvl2 octet_length overlay percent_rank
    percentile_cont percentile_disc pi position pow power quarter radians rand random rank
    regexp_count regexp_extract regexp_instr regexp_like regexp_replace regexp_substr
    regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy
    regr_syy repeat replace reverse right round row_number rpad rtrim sign sin sinh soundex
    split_part sqrt stddev stddev_pop stddev_samp string_agg strpos substr substring sum tan
    tanh to_char to_date to_number to_timestamp translate trim trunc truncate ucase unnest
    upper var_pop var_samp variance weekday weekofyear width_bucket
"""
