"""What the storefront asks of the database: each one round trip."""

ORDER = "SELECT place_order(%(key)s, %(item)s, %(quantity)s) AS done"
TRANSFER = "SELECT move_money(%(key)s, %(source)s, %(target)s, %(amount)s) AS done"
PRODUCTS = "SELECT item, name, picture, price_cents, units FROM stock ORDER BY item"
READY = "SELECT pg_is_in_recovery() AS standby"
SHOPFRONT = """
SELECT (SELECT json_agg(s ORDER BY s.item) FROM
           (SELECT item, name, picture, price_cents, units FROM stock) s) AS products,
       (SELECT count(*) FROM orders WHERE placed > now() - interval '10 seconds') AS recent,
       (SELECT json_agg(o) FROM
           (SELECT left(o.key, 8) AS key, s.name, s.picture, o.quantity,
                   extract(epoch FROM now() - o.placed)::float AS age_seconds
            FROM orders o JOIN stock s USING (item) ORDER BY o.placed DESC LIMIT 6) o) AS latest
"""
