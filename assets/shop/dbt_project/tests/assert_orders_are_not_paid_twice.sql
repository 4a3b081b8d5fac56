select order_id, total_amount, paid_amount
from {{ ref('fct_orders') }}
where paid_amount > total_amount
