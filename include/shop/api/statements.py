"""What the storefront asks of the database: each one round trip."""

ORDER = "SELECT amount_cents, payment FROM place_order(%(key)s, %(item)s, %(quantity)s)"
MARK_PAID = """
UPDATE orders SET payment = 'paid' WHERE key = ANY(%(keys)s) AND payment = 'pending' RETURNING key
"""
# Put off before it is charged, so that no other collector charges it meanwhile.
CLAIM_DUE = """
UPDATE orders SET due = clock_timestamp() + interval '3 seconds' WHERE key IN (
    SELECT key FROM orders WHERE payment = 'pending' AND due < clock_timestamp()
    ORDER BY due LIMIT %(most)s FOR UPDATE SKIP LOCKED
) RETURNING key, amount_cents
"""
TRANSFER = "SELECT move_money(%(key)s, %(source)s, %(target)s, %(amount)s) AS done"
ACCOUNT = "SELECT id, balance FROM accounts WHERE id = %(account)s"
PRODUCTS = "SELECT item, name, picture, price_cents, units FROM stock ORDER BY item"
READY = "SELECT pg_is_in_recovery() AS standby"
# An order is pending for a moment also when all is well: until its payment is written down.
SHOPFRONT = """
SELECT (SELECT json_agg(s ORDER BY s.item) FROM
           (SELECT item, name, picture, price_cents, units FROM stock) s) AS products,
       (SELECT count(*) FROM orders WHERE placed > now() - interval '10 seconds') AS recent,
       (SELECT count(*) FROM orders
        WHERE payment = 'pending' AND placed < now() - interval '1 second') AS pending,
       (SELECT json_agg(o) FROM
           (SELECT left(o.key, 8) AS key, s.name, s.picture, o.quantity, o.payment,
                   extract(epoch FROM now() - o.placed)::float AS age_seconds
            FROM orders o JOIN stock s USING (item) ORDER BY o.placed DESC LIMIT 6) o) AS latest
"""
