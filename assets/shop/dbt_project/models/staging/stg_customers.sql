with source as (

    select * from {{ source('raw', 'customers') }}

)

select
    id as customer_id,
    full_name,
    lower(email) as email,
    phone,
    country,
    marketing_opt_in,
    registered_at,
    synced_at
from source
