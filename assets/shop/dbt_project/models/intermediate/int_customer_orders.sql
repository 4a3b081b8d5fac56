select
    customer_id,
    count(*) as order_count,
    sum(total_eur) as gross_eur,
    min(placed_at) as first_order_at,
    max(placed_at) as last_order_at
from {{ ref('int_orders_enriched') }}
where status = 'completed' and customer_id is not null
group by customer_id
