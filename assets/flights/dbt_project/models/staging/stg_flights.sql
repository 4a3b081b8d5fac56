select
    carrier || '-' || flight || '-' || strftime(time_hour, '%Y%m%d%H') as flight_id,
    make_date("year", "month", "day") as flight_date,
    carrier,
    flight as flight_number,
    tailnum,
    origin,
    dest,
    sched_dep_time,
    dep_time,
    dep_delay,
    arr_time,
    arr_delay,
    air_time,
    distance,
    time_hour
from {{ source('raw', 'flights') }}
