select
    origin,
    coalesce(precip > 0, false) as is_raining,
    count(*) as departures,
    avg(dep_delay) as mean_delay
from {{ ref('fct_flights') }}
group by 1, 2
