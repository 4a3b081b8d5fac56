select flight_id, dep_delay
from {{ ref('fct_flights') }}
where dep_delay < -120 or dep_delay > 2000
