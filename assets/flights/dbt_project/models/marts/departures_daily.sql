select
    flight_date,
    origin,
    count(*) as departures,
    count(*) filter (where is_cancelled) as cancelled,
    avg(dep_delay) as mean_delay
from {{ ref('fct_flights') }}
group by flight_date, origin
