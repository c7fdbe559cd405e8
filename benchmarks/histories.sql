-- Histories of every customer, as one would write them by hand for this one log.
WITH days AS (
    SELECT customer, CAST(time AS DATE) AS day, sum(amount) AS spend
    FROM lines
    WHERE time < $as_of
    GROUP BY ALL
    HAVING spend > 1e-6
)
SELECT
    customer,
    count(*) - 1 AS frequency,
    max(day) - min(day) AS recency,
    $as_of - min(day) AS T,
    (sum(spend) - arg_min(spend, day)) / nullif(count(*) - 1, 0) AS monetary_value
FROM days
GROUP BY customer
