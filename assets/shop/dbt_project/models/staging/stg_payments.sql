with source as (

    select * from {{ source('raw', 'payments') }}

)

select
    payment_id,
    order_id,
    processor_charge_id,
    method,
    amount,
    currency,
    captured_at,
    synced_at
from source
