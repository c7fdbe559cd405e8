-- All feature columns that a plain log allows, as one would write them by hand for this one log.
-- Receipts are summed before days, and conditions stand inside the sums: count(DISTINCT …) and FILTER cost more.
WITH receipts AS (
    SELECT
        customer,
        CAST(time AS DATE) AS day,
        receipt,
        sum(amount) AS spend,
        count(*) AS lines,
        max(amount) > 0 AS bought,
        -sum(least(amount, 0)) AS returned,
        min(time) AS time
    FROM lines
    WHERE time < $as_of
    GROUP BY ALL
),
every_day AS MATERIALIZED (
    SELECT
        customer,
        day,
        sum(spend) AS spend,
        sum(lines) AS lines,
        count(if(bought, receipt, NULL)) AS orders,
        sum(returned) AS returned,
        min(time) AS time
    FROM receipts
    GROUP BY ALL
    HAVING abs(sum(spend)) > 1e-6
),
known AS (
    SELECT
        *,
        day - lag(day) OVER in_order AS gap,
        row_number() OVER in_order AS number,
        $as_of - last_value(day) OVER in_order AS silence,
        $as_of - day AS age,
        isodow(day) AS weekday,
        CASE WHEN CAST(time AS TIME) <> TIME '00:00:00' THEN hour(time) END AS hour,
        true AS purchase
    FROM every_day
    WHERE spend > 0
    WINDOW in_order AS (
        PARTITION BY customer ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
    UNION ALL BY NAME
    SELECT customer, day, spend, 0 AS orders, returned, $as_of - day AS age, false AS purchase
    FROM every_day
    WHERE spend < 0
),
late AS (
    SELECT back.customer, sum(back.spend) AS late_returns
    FROM known AS back
    JOIN known AS second ON second.customer = back.customer AND second.number = 2 AND second.day < back.day
    WHERE NOT back.purchase
    GROUP BY back.customer
),
sums AS (
    SELECT
        customer,
        count_if(purchase) AS purchase_days,
        max(if(purchase, age, NULL)) AS T,
        min(if(purchase, age, NULL)) AS days_since_last,
        max(age) AS first_move,
        sum(spend) AS spend,
        sum(if(purchase, spend, NULL)) AS paid,
        sum(if(number = 1, spend, NULL)) AS first_spend,
        sum(if(number = 2, spend, NULL)) AS second_spend,
        max(if(number = 2, age, NULL)) AS second_age,
        sum(if(age = silence, spend, NULL)) AS last_spend,
        count_if(purchase AND age <= 7) AS purchase_days_7,
        count_if(purchase AND age <= 14) AS purchase_days_14,
        count_if(purchase AND age <= 30) AS purchase_days_30,
        count_if(purchase AND age <= 60) AS purchase_days_60,
        count_if(purchase AND age <= 90) AS purchase_days_90,
        count_if(purchase AND age <= 180) AS purchase_days_180,
        count_if(purchase AND age <= 365) AS purchase_days_365,
        sum(if(age <= 7, orders, 0)) AS orders_7,
        sum(if(age <= 14, orders, 0)) AS orders_14,
        sum(if(age <= 30, orders, 0)) AS orders_30,
        sum(if(age <= 60, orders, 0)) AS orders_60,
        sum(if(age <= 90, orders, 0)) AS orders_90,
        sum(if(age <= 180, orders, 0)) AS orders_180,
        sum(if(age <= 365, orders, 0)) AS orders_365,
        sum(if(age <= 7, spend, 0)) AS spend_7,
        sum(if(age <= 14, spend, 0)) AS spend_14,
        sum(if(age <= 30, spend, 0)) AS spend_30,
        sum(if(age <= 60, spend, 0)) AS spend_60,
        sum(if(age <= 90, spend, 0)) AS spend_90,
        sum(if(age <= 180, spend, 0)) AS spend_180,
        sum(if(age <= 365, spend, 0)) AS spend_365,
        sum(if(age > 30 AND age <= 60, spend, 0)) AS older_30,
        sum(if(age > 60 AND age <= 120, spend, 0)) AS older_60,
        sum(if(age > 90 AND age <= 180, spend, 0)) AS older_90,
        sum(if(age > 180 AND age <= 360, spend, 0)) AS older_180,
        sum(if(age <= 13 * 28, spend, 0)) AS seen_spend,
        sum(if(age <= 13 * 28, spend * ((age - 1) // 28), 0)) AS seen_moment,
        count_if(purchase AND age > 365 - $horizon_days AND age <= 365) AS purchase_days_last_year,
        sum(if(age > 365 - $horizon_days AND age <= 365, spend, 0)) AS spend_last_year,
        stddev_samp(gap) AS gap_sd,
        max(gap) AS gap_longest,
        avg(ln(gap)) AS gap_log_mean,
        count_if(gap > silence) AS longer_gaps,
        sum(lines) AS lines,
        sum(orders) AS orders,
        count_if(returned > 0) AS return_days,
        sum(returned) AS returned,
        count_if(weekday = 1) AS monday,
        count_if(weekday = 2) AS tuesday,
        count_if(weekday = 3) AS wednesday,
        count_if(weekday = 4) AS thursday,
        count_if(weekday = 5) AS friday,
        count_if(weekday = 6) AS saturday,
        count_if(weekday = 7) AS sunday,
        nullif(count(hour), 0) AS timed,
        count_if(hour BETWEEN 5 AND 10) AS morning,
        count_if(hour BETWEEN 11 AND 15) AS midday,
        count_if(hour BETWEEN 16 AND 20) AS evening,
        count_if(hour >= 21 OR hour < 5) AS night
    FROM known
    GROUP BY customer
    HAVING days_since_last <= $active_within_days
),
stores AS (
    SELECT customer, count(*) AS stores, max(paid) / sum(paid) AS favourite_store_share
    FROM (
        SELECT customer, store, sum(amount) AS paid
        FROM lines
        WHERE amount > 0 AND store IS NOT NULL AND time < $as_of
        GROUP BY ALL
    )
    GROUP BY customer
),
channels AS (
    SELECT customer, count(DISTINCT channel) AS channels
    FROM lines
    WHERE amount > 0 AND channel IS NOT NULL AND time < $as_of
    GROUP BY customer
),
each AS (
    SELECT
        *,
        purchase_days - 1 AS repeats,
        (T - days_since_last) / nullif(repeats, 0) AS gap_mean,
        greatest(spend_30, 0) AS newer_30,
        greatest(spend_60, 0) AS newer_60,
        greatest(spend_90, 0) AS newer_90,
        greatest(spend_180, 0) AS newer_180,
        least((first_move - 1) // 28 + 1, 13) AS n
    FROM sums
)
SELECT
    customer,
    repeats AS frequency,
    T - days_since_last AS recency,
    T,
    greatest(paid - first_spend + coalesce(late_returns, 0), 0) / nullif(repeats, 0) AS monetary_value,
    days_since_last,
    greatest(spend, 0) / purchase_days AS spend_per_day,
    COLUMNS('^(purchase_days|orders|spend)_(\d|last_year)'),
    gap_mean,
    gap_sd,
    gap_sd / gap_mean AS gap_cv,
    gap_longest,
    CASE WHEN repeats > 1 THEN least(exp(gap_log_mean) / gap_mean, 1) END AS regularity,
    days_since_last / gap_mean AS overdue,
    longer_gaps / nullif(repeats, 0) AS longer_gaps_share,
    last_spend / nullif(paid / purchase_days, 0) AS last_against_mean,
    newer_30 / nullif(newer_30 + greatest(older_30, 0), 0) AS spend_trend_30,
    newer_60 / nullif(newer_60 + greatest(older_60, 0), 0) AS spend_trend_60,
    newer_90 / nullif(newer_90 + greatest(older_90, 0), 0) AS spend_trend_90,
    newer_180 / nullif(newer_180 + greatest(older_180, 0), 0) AS spend_trend_180,
    ((n - 1) / 2 * seen_spend - seen_moment) / nullif(n * (n * n - 1) / 12, 0) AS spend_slope,
    lines / purchase_days AS lines_per_day,
    orders / purchase_days AS orders_per_day,
    return_days,
    least(returned / nullif(spend + returned, 0), 1) AS returned_share,
    monday / purchase_days AS monday_share,
    tuesday / purchase_days AS tuesday_share,
    wednesday / purchase_days AS wednesday_share,
    thursday / purchase_days AS thursday_share,
    friday / purchase_days AS friday_share,
    saturday / purchase_days AS saturday_share,
    sunday / purchase_days AS sunday_share,
    morning / timed AS morning_share,
    midday / timed AS midday_share,
    evening / timed AS evening_share,
    night / timed AS night_share,
    CAST(repeats > 0 AS BIGINT) AS second_purchase,
    T - second_age AS days_to_second,
    second_spend / nullif(first_spend, 0) AS second_against_first,
    coalesce(stores, 0) AS stores,
    favourite_store_share,
    coalesce(channels, 0) AS channels,
    CAST(channels > 1 AS BIGINT) AS omnichannel
FROM each
LEFT JOIN late USING (customer)
LEFT JOIN stores USING (customer)
LEFT JOIN channels USING (customer)
