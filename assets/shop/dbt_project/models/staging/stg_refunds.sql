with source as (

    select * from {{ source('raw', 'refunds') }}

)

select
    refund_id,
    payment_id,
    order_id,
    processor_refund_id,
    amount,
    currency,
    reason,
    refunded_at,
    synced_at
from source
