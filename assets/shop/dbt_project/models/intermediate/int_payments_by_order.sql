select
    order_id,
    count(*) as payment_count,
    sum(amount) as paid_amount,
    min(captured_at) as first_captured_at
from {{ ref('stg_payments') }}
group by order_id
