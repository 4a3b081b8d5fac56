-- what the product lines of an order add up to
select
    order_id,
    count(*) as line_count,
    sum(quantity) as item_count,
    sum(line_amount) as goods_amount
from {{ ref('stg_order_items') }}
group by order_id
