select
    carrier,
    airline_name,
    count(*) as departures,
    avg(case when arr_delay <= 15 then 1.0 else 0.0 end) as on_time_share
from {{ ref('fct_flights') }}
where not is_cancelled
group by carrier, airline_name
