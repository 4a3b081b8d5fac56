-- one row per order, with its buyer, its currency and its campaign
with orders as (

    select * from {{ ref('stg_orders') }}

),

customers as (

    select * from {{ ref('stg_customers') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

promotions as (

    select * from {{ ref('promotions') }}

)

select
    orders.order_id,
    orders.customer_id,
    orders.channel,
    orders.status,
    orders.currency,
    orders.promo_code,
    promotions.campaign,
    customers.country as customer_country,
    coalesce(orders.shipping_country, customers.country) as country,
    customers.registered_at as customer_since,
    orders.shipping_amount,
    orders.discount_amount,
    orders.total_amount,
    {{ in_eur('orders.total_amount', 'currencies.units_per_eur') }} as total_eur,
    orders.placed_at,
    orders.synced_at
from orders
inner join currencies on orders.currency = currencies.currency_code
left join customers on orders.customer_id = customers.customer_id
left join promotions on orders.promo_code = promotions.promo_code
