"""What a dataset file can say beside what `loyalty init` guesses."""

TEMPLATE = """\
# What can be added: take away the `# ` and put in your own. README.md and data/README.md say more.

# [products]                         # what is sold, where the log does not say the category
# source = "data/raw/products.csv"
# product = "product_id"
# category = "department"

# [customers]                        # what is known of customers beside their purchases
# source = "data/raw/customers.csv"
# customer = "customer_id"
# attributes = ["region", "age_band"]
# joined = "joined_on"

# [campaigns]
# source = "data/raw/campaigns.csv"
# campaign = "campaign_id"
# start = "first_day"
# end = "last_day"
# type = "kind"
# contact_cost = 0.45                # of one contact, a number or a column

# [contacts]                         # who was sent which campaign
# source = "data/raw/contacts.csv"
# customer = "customer_id"
# campaign = "campaign_id"

# [redemptions]                      # coupons handed in
# source = "data/raw/redemptions.csv"
# customer = "customer_id"
# time = "redeemed_on"
# campaign = "campaign_id"
# coupon = "coupon_id"

# [coupons]                          # which coupon belongs to which campaign
# source = "data/raw/coupons.csv"
# coupon = "coupon_id"
# campaign = "campaign_id"
# product = "product_id"

# [programme]
# stop_redemption_below = 0.10       # share of those reached; a campaign with fewer is to be stopped

# [points]                           # movements of points, negative where they are spent
# source = "data/raw/points.csv"
# customer = "customer_id"
# time = "booked_at"
# points = "points"

# [[events.marked]]                  # a day that charts over time mark
# day = 2024-03-04
# name = "New competitor opens"

# [goals]                            # a report shows the actual value against them
# repurchase_rate = 0.50
# churn_rate = 0.10

# [contract]                         # what is done with lines that are wrong or odd
# duplicate_line = "keep"            # where the same line twice means two pieces
# minimum_customers = 500
"""
