with customers as (

    select * from {{ ref('dim_customers') }}

),

customer_orders as (

    select * from {{ ref('int_customer_orders') }}

)

select
    customers.customer_id,
    customers.country,
    customers.order_count,
    coalesce(customer_orders.gross_eur, 0) as lifetime_eur,
    case
        when customers.order_count = 0 then 'none'
        when customer_orders.gross_eur >= 2000 then 'gold'
        when customers.order_count >= 3 then 'regular'
        else 'new'
    end as segment
from customers
left join customer_orders on customers.customer_id = customer_orders.customer_id
