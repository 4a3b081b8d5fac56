select
    product_id,
    max(category) as category,
    count(distinct order_id) as order_count,
    sum(quantity) as item_count,
    sum(line_eur) as sold_eur,
    max(order_date) as last_sold_on
from {{ ref('fct_order_items') }}
group by product_id
