with refunds as (

    select * from {{ ref('stg_refunds') }}

),

payments as (

    select * from {{ ref('stg_payments') }}

),

currencies as (

    select * from {{ ref('currencies') }}

)

select
    refunds.refund_id,
    refunds.payment_id,
    refunds.order_id,
    refunds.processor_refund_id,
    payments.method,
    refunds.currency,
    refunds.amount,
    cast(refunds.amount * currencies.minor_units as bigint) as amount_minor,
    {{ in_eur('refunds.amount', 'currencies.units_per_eur') }} as amount_eur,
    refunds.reason,
    cast(refunds.refunded_at as date) as refunded_date,
    date_diff('day', payments.captured_at, refunds.refunded_at) as days_to_refund
from refunds
left join payments on refunds.payment_id = payments.payment_id
left join currencies on refunds.currency = currencies.currency_code
