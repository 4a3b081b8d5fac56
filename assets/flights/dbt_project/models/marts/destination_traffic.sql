select
    dest,
    max(dest_name) as dest_name,
    count(*) as departures,
    sum(distance) as miles
from {{ ref('fct_flights') }}
group by dest
