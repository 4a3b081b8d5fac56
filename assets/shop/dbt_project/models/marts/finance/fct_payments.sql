with payments as (

    select * from {{ ref('stg_payments') }}

),

currencies as (

    select * from {{ ref('currencies') }}

)

select
    payments.payment_id,
    payments.order_id,
    payments.processor_charge_id,
    payments.method,
    payments.currency,
    payments.amount,
    cast(payments.amount * currencies.minor_units as bigint) as amount_minor,
    {{ in_eur('payments.amount', 'currencies.units_per_eur') }} as amount_eur,
    payments.captured_at,
    cast(payments.captured_at as date) as captured_date
from payments
left join currencies on payments.currency = currencies.currency_code
