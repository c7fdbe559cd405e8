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
# tiers = [{ name = "Silver", spend = 300 }, { name = "Gold", spend = 1000 }]   # lowest first
# qualifying_days = 365              # whose spend decides the tier
# stop_redemption_below = 0.10       # share of those reached; a campaign with fewer is to be stopped

# [programme.points]                 # how points are earned and how long they last
# per_unit = 1.0                     # points for a unit of currency
# expiry_months = 12
# cost_per_point = 0.01              # money, when it is handed in

# [points]                           # movements of points, negative where they are spent
# source = "data/raw/points.csv"
# customer = "customer_id"
# time = "booked_at"
# points = "points"
# kind = "kind"                      # earn, redeem, expire or adjust

# [survey]                           # answers to "How likely are you to recommend us?"
# source = "data/raw/survey.csv"
# customer = "customer_id"
# time = "answered_at"
# score = "score"                    # a whole number from 0 to 10

# [[events.marked]]                  # a day that charts over time mark
# day = 2024-03-04
# name = "New competitor opens"

# [goals]                            # a report shows the actual value against them
# repurchase_rate = 0.50
# churn_rate = 0.10

# [goals.churn]                      # a goal with a date; also repurchase, order_value, redemption, members, nps
# starts = 2024-01-01
# deadline = 2024-12-31
# change = -0.05                     # 5 % less than at the start; or target = 0.10

# [budget.preparation]               # then [budget.launch] and [budget.evaluation]
# starts = 2024-01-01
# ends = 2024-01-31
# plan = { rewards = 0, contacts = 500, people = 12000 }
# actual = { people = 11000 }        # so far, where it is known

# [contract]                         # what is done with lines that are wrong or odd
# duplicate_line = "keep"            # where the same line twice means two pieces
# minimum_customers = 500
"""
