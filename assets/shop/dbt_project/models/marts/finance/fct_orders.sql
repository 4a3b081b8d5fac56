with orders as (

    select * from {{ ref('int_orders_enriched') }}

),

totals as (

    select * from {{ ref('int_order_totals') }}

),

payments as (

    select * from {{ ref('int_payments_by_order') }}

),

refunds as (

    select * from {{ ref('int_refunds_by_order') }}

)

select
    orders.order_id,
    orders.customer_id,
    orders.channel,
    orders.status,
    orders.country,
    orders.currency,
    orders.promo_code,
    orders.campaign,
    totals.line_count,
    totals.item_count,
    totals.goods_amount,
    orders.shipping_amount,
    orders.discount_amount,
    orders.total_amount,
    orders.total_eur,
    coalesce(payments.paid_amount, 0) as paid_amount,
    coalesce(refunds.refunded_amount, 0) as refunded_amount,
    payments.first_captured_at,
    orders.placed_at,
    cast(orders.placed_at as date) as order_date
from orders
left join totals on orders.order_id = totals.order_id
left join payments on orders.order_id = payments.order_id
left join refunds on orders.order_id = refunds.order_id
