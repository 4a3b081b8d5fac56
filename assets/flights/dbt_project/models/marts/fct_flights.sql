with flights as (

    select * from {{ ref('stg_flights') }}

),

airlines as (

    select * from {{ ref('stg_airlines') }}

),

planes as (

    select * from {{ ref('stg_planes') }}

),

airports as (

    select * from {{ ref('stg_airports') }}

),

weather as (

    select * from {{ ref('stg_weather') }}

),

final as (

    select
        flights.flight_id,
        flights.flight_date,
        flights.carrier,
        airlines.airline_name,
        flights.tailnum,
        planes.manufacturer,
        planes.seats,
        flights.origin,
        flights.dest,
        airports.airport_name as dest_name,
        flights.dep_delay,
        flights.arr_delay,
        flights.dep_time is null as is_cancelled,
        flights.distance,
        weather.precip,
        weather.visib,
        flights.time_hour
    from flights
    inner join airlines on flights.carrier = airlines.carrier
    left join planes on flights.tailnum = planes.tailnum
    left join airports on flights.dest = airports.faa
    left join weather
        on flights.origin = weather.origin
        and flights.time_hour = weather.time_hour

)

select * from final
