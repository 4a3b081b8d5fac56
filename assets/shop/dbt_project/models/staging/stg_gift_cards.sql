with source as (

    select * from {{ source('raw', 'gift_cards') }}

),

currencies as (

    select * from {{ ref('currencies') }}

)

select
    source.gift_card_id,
    source.amount,
    source.currency,
    {{ in_eur('source.amount', 'currencies.units_per_eur') }} as amount_eur,
    source.sold_at,
    source.synced_at
from source
left join currencies on source.currency = currencies.currency_code
