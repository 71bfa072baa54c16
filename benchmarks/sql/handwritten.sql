-- A peer: what a careful developer writes by hand when nothing but the transfer matters. Whole
-- points, an idempotent insert, sorted updates, entries with running balances. No holds, no history
-- of instants, no chain of hashes, no refusal that names the transfer.

CREATE TABLE account (
    id uuid PRIMARY KEY,
    balance bigint NOT NULL DEFAULT 0 CHECK (balance >= 0),
    version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE transfer (
    id uuid PRIMARY KEY,
    debit uuid NOT NULL,
    credit uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE entry (
    account_id uuid NOT NULL,
    version bigint NOT NULL,
    transfer_id uuid NOT NULL,
    amount bigint NOT NULL,
    balance bigint NOT NULL,
    PRIMARY KEY (account_id, version)
);

CREATE FUNCTION post_one(given_id uuid, payer uuid, payee uuid, points bigint) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    payer_balance bigint;
    payer_version bigint;
    payee_balance bigint;
    payee_version bigint;
BEGIN
    INSERT INTO transfer VALUES (given_id, payer, payee, points) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF payer < payee THEN
        UPDATE account SET balance = balance - points, version = version + 1 WHERE id = payer
        RETURNING balance, version INTO payer_balance, payer_version;
    END IF;
    UPDATE account SET balance = balance + points, version = version + 1 WHERE id = payee
    RETURNING balance, version INTO payee_balance, payee_version;
    IF payer > payee THEN
        UPDATE account SET balance = balance - points, version = version + 1 WHERE id = payer
        RETURNING balance, version INTO payer_balance, payer_version;
    END IF;
    INSERT INTO entry VALUES
        (payer, payer_version, given_id, -points, payer_balance),
        (payee, payee_version, given_id, points, payee_balance);
    RETURN true;
END $$;

CREATE FUNCTION post_many(ids uuid[], payers uuid[], payees uuid[], points bigint[])
    RETURNS integer LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan
    AS $$
DECLARE
    number integer;
BEGIN
    PERFORM FROM account WHERE id = ANY (payers || payees) ORDER BY id FOR UPDATE;
    WITH item AS (
        SELECT * FROM unnest(ids, payers, payees, points) WITH ORDINALITY
            AS i (id, payer, payee, amount, position)
    ), fresh AS (
        INSERT INTO transfer SELECT id, payer, payee, amount FROM item ON CONFLICT DO NOTHING
        RETURNING id
    ), leg AS (
        SELECT side.account_id, side.amount, item.id, item.position
        FROM item JOIN fresh USING (id)
        CROSS JOIN LATERAL (VALUES (item.payer, -item.amount), (item.payee, item.amount))
            AS side (account_id, amount)
    ), running AS (
        SELECT leg.account_id, leg.id, leg.amount,
            account.version + row_number() OVER so_far AS version,
            account.balance + sum(leg.amount) OVER so_far AS balance
        FROM leg JOIN account ON account.id = leg.account_id
        WINDOW so_far AS (PARTITION BY leg.account_id ORDER BY leg.position)
    ), listed AS (
        INSERT INTO entry SELECT account_id, version, id, amount, balance FROM running
    ), moved AS (
        UPDATE account
        SET balance = balance + total.amount, version = version + total.number
        FROM (SELECT account_id, sum(amount) AS amount, count(*) AS number
              FROM leg GROUP BY account_id) AS total
        WHERE account.id = total.account_id
    )
    SELECT count(*) INTO number FROM fresh;
    RETURN number;
END $$;
