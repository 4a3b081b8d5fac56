-- what gift cards bring in, by the day they are sold
select
    cast(sold_at as date) as sold_on,
    count(*) as card_count,
    sum(amount) as sold_eur
from {{ ref('stg_gift_cards') }}
group by 1
