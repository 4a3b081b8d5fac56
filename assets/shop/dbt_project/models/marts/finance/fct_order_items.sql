with items as (

    select * from {{ ref('stg_order_items') }}

),

orders as (

    select * from {{ ref('stg_orders') }}

),

products as (

    select * from {{ ref('stg_products') }}

),

currencies as (

    select * from {{ ref('currencies') }}

)

select
    items.order_item_id,
    items.order_id,
    items.product_id,
    products.sku,
    coalesce(products.category, 'deleted product') as category,
    items.quantity,
    items.unit_price,
    items.line_amount,
    orders.currency,
    {{ in_eur('items.line_amount', 'currencies.units_per_eur') }} as line_eur,
    cast(orders.placed_at as date) as order_date
from items
left join orders on items.order_id = orders.order_id
left join currencies on orders.currency = currencies.currency_code
left join products on items.product_id = products.product_id
