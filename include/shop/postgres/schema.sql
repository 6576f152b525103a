-- Every write carries a key its sender made, and is one statement: sent twice, it happens once.
CREATE TABLE stock (
    item integer PRIMARY KEY,
    name text NOT NULL,
    picture text NOT NULL,
    price_cents integer NOT NULL,
    units bigint NOT NULL CHECK (units >= 0),
    delivered bigint NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE orders (
    key text PRIMARY KEY,
    item integer NOT NULL REFERENCES stock,
    quantity integer NOT NULL CHECK (quantity > 0),
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    payment text NOT NULL DEFAULT 'pending' CHECK (payment IN ('pending', 'paid')),
    placed timestamptz NOT NULL DEFAULT clock_timestamp(),
    due timestamptz NOT NULL DEFAULT clock_timestamp() + interval '3 seconds'
);
COMMENT ON COLUMN orders.due IS 'when a collector may charge an order that is still pending';
CREATE INDEX orders_placed ON orders (placed);
CREATE INDEX orders_due ON orders (due) WHERE payment = 'pending';
CREATE TABLE accounts (
    id integer PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0)
) WITH (fillfactor = 50);
CREATE TABLE transfers (
    key text PRIMARY KEY,
    source integer NOT NULL REFERENCES accounts,
    target integer NOT NULL REFERENCES accounts,
    amount bigint NOT NULL CHECK (amount > 0),
    done boolean NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

INSERT INTO stock
SELECT item, name, picture, price, 400, 400
FROM (VALUES
    (1, 'Filter coffee', 'coffee', 1290), (2, 'Green tea', 'tea', 890),
    (3, 'Honey', 'honey', 650), (4, 'Rye bread', 'bread', 420),
    (5, 'Olive oil', 'oil', 1490), (6, 'Farm cheese', 'cheese', 780),
    (7, 'Apples', 'apple', 310), (8, 'Tomatoes', 'tomato', 360)
) AS goods (item, name, picture, price);
INSERT INTO accounts SELECT id, 1000 FROM generate_series(1, 100) AS id;

-- The order as it is there, now or from before; a delivery arrives before the shelf is empty.
CREATE FUNCTION place_order(order_key text, wanted integer, pieces integer)
RETURNS TABLE (amount_cents bigint, payment text)
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orders (key, item, quantity, amount_cents)
    SELECT order_key, item, pieces, price_cents * pieces FROM stock WHERE item = wanted
    ON CONFLICT (key) DO NOTHING;
    IF FOUND THEN
        UPDATE stock SET
            units = units - pieces + CASE WHEN units < pieces + 40 THEN 400 ELSE 0 END,
            delivered = delivered + CASE WHEN units < pieces + 40 THEN 400 ELSE 0 END
        WHERE item = wanted;
    END IF;
    RETURN QUERY SELECT o.amount_cents, o.payment FROM orders o WHERE o.key = order_key;
END $$;

-- False when the source has too little: then nothing was moved, now and for ever.
CREATE FUNCTION move_money(transfer_key text, payer integer, payee integer, cents bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    moved boolean;
BEGIN
    SELECT done INTO moved FROM transfers WHERE key = transfer_key;
    IF FOUND THEN RETURN moved; END IF;
    PERFORM 1 FROM accounts WHERE id IN (payer, payee) ORDER BY id FOR UPDATE;
    INSERT INTO transfers (key, source, target, amount, done)
    SELECT transfer_key, payer, payee, cents, balance >= cents FROM accounts WHERE id = payer
    ON CONFLICT (key) DO NOTHING RETURNING done INTO moved;
    IF NOT FOUND THEN
        SELECT done INTO moved FROM transfers WHERE key = transfer_key;
        RETURN moved;
    END IF;
    IF moved THEN
        UPDATE accounts SET balance = balance - cents WHERE id = payer;
        UPDATE accounts SET balance = balance + cents WHERE id = payee;
    END IF;
    RETURN moved;
END $$;
