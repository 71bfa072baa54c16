-- A peer, in our own words: the ways of pgledger, an open ledger of SQL functions. Typed text ids
-- made by the server, NUMERIC amounts, foreign keys, entries that keep the balance before and after,
-- all accounts locked in order and then one transfer after the other. Set PGLEDGER_SQL to the real
-- one's file to measure that beside it.

CREATE TABLE accounts (
    id text PRIMARY KEY,
    name text NOT NULL,
    currency text NOT NULL,
    balance numeric NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0,
    may_be_negative boolean NOT NULL DEFAULT true,
    may_be_positive boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE transfers (
    id text PRIMARY KEY,
    from_account text NOT NULL REFERENCES accounts (id),
    to_account text NOT NULL REFERENCES accounts (id),
    amount numeric NOT NULL,
    created_at timestamptz NOT NULL,
    event_at timestamptz NOT NULL,
    metadata jsonb,
    CHECK (amount > 0 AND from_account <> to_account)
);
CREATE INDEX ON transfers (from_account);
CREATE INDEX ON transfers (to_account);
CREATE INDEX ON transfers (event_at);

CREATE TABLE entries (
    id text PRIMARY KEY,
    account_id text NOT NULL REFERENCES accounts (id),
    transfer_id text NOT NULL REFERENCES transfers (id),
    amount numeric NOT NULL,
    balance_before numeric NOT NULL,
    balance_after numeric NOT NULL,
    account_version bigint NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX ON entries (account_id);
CREATE INDEX ON entries (transfer_id);

CREATE TYPE movement AS (from_account text, to_account text, amount numeric);

CREATE FUNCTION typed_id(prefix text) RETURNS text LANGUAGE sql VOLATILE
    RETURN prefix || '_' || replace(uuidv7()::text, '-', '');

CREATE FUNCTION check_bounds(account accounts) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT account.may_be_negative AND account.balance < 0
        OR NOT account.may_be_positive AND account.balance > 0 THEN
        RAISE EXCEPTION 'account % is out of bounds', account.id;
    END IF;
END $$;

CREATE FUNCTION create_transfers(movements movement[]) RETURNS SETOF transfers
    LANGUAGE plpgsql AS $$
DECLARE
    one movement;
    locked text;
    payer accounts;
    payee accounts;
    new_id text;
    new_ids text[] := '{}';
BEGIN
    FOR locked IN SELECT DISTINCT unnest(ARRAY[m.from_account, m.to_account]) AS a
                  FROM unnest(movements) AS m ORDER BY a LOOP
        PERFORM FROM accounts WHERE id = locked FOR UPDATE;
    END LOOP;
    FOREACH one IN ARRAY movements LOOP
        UPDATE accounts SET balance = balance - one.amount, version = version + 1,
            updated_at = now()
        WHERE id = one.from_account RETURNING * INTO payer;
        PERFORM check_bounds(payer);
        UPDATE accounts SET balance = balance + one.amount, version = version + 1,
            updated_at = now()
        WHERE id = one.to_account RETURNING * INTO payee;
        PERFORM check_bounds(payee);
        IF payer.currency <> payee.currency THEN
            RAISE EXCEPTION 'different currencies';
        END IF;
        new_id := typed_id('t');
        INSERT INTO transfers VALUES
            (new_id, one.from_account, one.to_account, one.amount, now(), now(), NULL);
        new_ids := new_ids || new_id;
        INSERT INTO entries VALUES (typed_id('e'), one.from_account, new_id, -one.amount,
            payer.balance + one.amount, payer.balance, payer.version, now());
        INSERT INTO entries VALUES (typed_id('e'), one.to_account, new_id, one.amount,
            payee.balance - one.amount, payee.balance, payee.version, now());
    END LOOP;
    RETURN QUERY SELECT * FROM transfers WHERE id = ANY (new_ids) ORDER BY id;
END $$;
