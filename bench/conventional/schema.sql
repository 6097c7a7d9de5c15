CREATE TABLE stock (
    sku         text   NOT NULL PRIMARY KEY,
    name        text   NOT NULL,
    price_cents bigint NOT NULL,
    on_hand     bigint NOT NULL CHECK (on_hand >= 0),
    held        bigint NOT NULL CHECK (held BETWEEN 0 AND on_hand)
) WITH (fillfactor = 50); -- as our own items: an update finds room beside its row

CREATE TABLE orders (
    id              uuid        NOT NULL PRIMARY KEY,
    idempotency_key text        NOT NULL UNIQUE,
    status          text        NOT NULL,
    email           text        NOT NULL,
    customer        jsonb       NOT NULL,
    items           jsonb       NOT NULL,
    total_cents     bigint      NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);

CREATE TABLE payments (
    id           uuid        NOT NULL PRIMARY KEY,
    order_id     uuid        NOT NULL REFERENCES orders (id),
    method       text        NOT NULL,
    token        text        NOT NULL,
    amount_cents bigint      NOT NULL,
    status       text        NOT NULL,
    created_at   timestamptz NOT NULL
);

CREATE TABLE order_events (
    order_id uuid        NOT NULL REFERENCES orders (id),
    version  bigint      NOT NULL,
    type     text        NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (order_id, version)
);

-- The stronger design: the same statements in one round trip.
CREATE FUNCTION place_order(order_id uuid, payment_id uuid, key text, email text, customer jsonb, skus text[], quantities bigint[],
    payment_method text, payment_token text, now timestamptz)
RETURNS TABLE (total bigint, names text[], prices bigint[]) LANGUAGE plpgsql AS $$
DECLARE
    item_name text;
    item_price bigint;
BEGIN
    INSERT INTO orders (id, idempotency_key, status, email, customer, items, total_cents, created_at, updated_at)
    VALUES (order_id, key, 'placed', email, customer, '[]', 0, now, now);
    total := 0;
    FOR i IN 1 .. cardinality(skus) LOOP
        UPDATE stock s SET held = s.held + quantities[i]
        WHERE s.sku = skus[i] AND s.on_hand - s.held >= quantities[i]
        RETURNING s.name, s.price_cents INTO item_name, item_price;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'out of stock' USING ERRCODE = 'VZ001';
        END IF;
        names := names || item_name;
        prices := prices || item_price;
        total := total + item_price * quantities[i];
    END LOOP;
    INSERT INTO payments (id, order_id, method, token, amount_cents, status, created_at)
    VALUES (payment_id, order_id, payment_method, payment_token, total, 'paid', now);
    UPDATE orders o SET status = 'confirmed', total_cents = total, updated_at = now,
        items = (SELECT jsonb_agg(jsonb_build_object('sku', l.sku, 'name', l.name, 'quantity', l.quantity, 'unit_price_cents', l.price))
                 FROM unnest(skus, names, quantities, prices) AS l (sku, name, quantity, price))
    WHERE o.id = order_id;
    INSERT INTO order_events (order_id, version, type, at) VALUES (order_id, 1, 'order.confirmed', now);
    RETURN NEXT;
END $$;
