with customers as (

    select * from {{ ref('stg_customers') }}

),

customer_orders as (

    select * from {{ ref('int_customer_orders') }}

)

select
    customers.customer_id,
    customers.full_name,
    customers.email,
    customers.phone,
    customers.country,
    customers.marketing_opt_in,
    customers.registered_at,
    coalesce(customer_orders.order_count, 0) as order_count,
    customer_orders.first_order_at,
    customer_orders.last_order_at
from customers
left join customer_orders on customers.customer_id = customer_orders.customer_id
