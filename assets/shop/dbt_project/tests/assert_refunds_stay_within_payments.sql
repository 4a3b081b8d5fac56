{{ config(meta={'dagster': {'ref': {'name': 'fct_refunds'}}}) }}

select payments.payment_id, payments.amount, sum(refunds.amount) as refunded
from {{ ref('fct_payments') }} as payments
inner join {{ ref('fct_refunds') }} as refunds on payments.payment_id = refunds.payment_id
group by payments.payment_id, payments.amount
having sum(refunds.amount) > payments.amount
