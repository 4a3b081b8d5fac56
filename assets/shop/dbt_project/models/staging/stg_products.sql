with source as (

    select * from {{ source('raw', 'products') }}

)

select
    id as product_id,
    sku,
    product_name,
    category,
    list_price_eur,
    weight_grams,
    created_at
from source
