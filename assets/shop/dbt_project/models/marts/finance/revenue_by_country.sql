select
    cast(date_trunc('month', order_date) as date) as revenue_month,
    coalesce(country, 'unknown') as country,
    count(*) as order_count,
    sum(total_eur) as gross_eur
from {{ ref('fct_orders') }}
where status = 'completed'
group by 1, 2
