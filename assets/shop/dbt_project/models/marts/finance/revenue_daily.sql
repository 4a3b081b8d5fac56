-- completed orders by the day they were placed; refunds count against the day of their order
with orders as (

    select * from {{ ref('fct_orders') }}
    where status = 'completed'

),

refunds as (

    select order_id, sum(amount_eur) as refunded_eur
    from {{ ref('fct_refunds') }}
    group by order_id

)

select
    orders.order_date,
    count(*) as order_count,
    sum(orders.item_count) as item_count,
    sum(orders.total_eur) as gross_eur,
    sum(coalesce(refunds.refunded_eur, 0)) as refunded_eur,
    sum(orders.total_eur) - sum(coalesce(refunds.refunded_eur, 0)) as net_eur
from orders
left join refunds on orders.order_id = refunds.order_id
group by orders.order_date
