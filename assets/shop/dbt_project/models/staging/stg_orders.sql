with source as (

    select * from {{ source('raw', 'orders') }}

)

select
    order_id,
    customer_id,
    channel,
    currency,
    shipping_country,
    upper(promo_code) as promo_code,
    status,
    shipping_amount,
    discount_amount,
    total_amount,
    placed_at,
    synced_at
from source
