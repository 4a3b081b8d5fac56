select order_date, gross_eur
from {{ ref('revenue_daily') }}
where gross_eur <= 0
