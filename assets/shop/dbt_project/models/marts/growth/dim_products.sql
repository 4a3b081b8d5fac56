select
    product_id,
    sku,
    product_name,
    category,
    list_price_eur,
    weight_grams,
    created_at
from {{ ref('stg_products') }}
