select
    order_id,
    count(*) as refund_count,
    sum(amount) as refunded_amount,
    max(refunded_at) as last_refunded_at
from {{ ref('stg_refunds') }}
group by order_id
