-- The ledger: accounts, transfers, entries, and the two functions that write them.
--
-- What is measured decides here (benchmarks/ledger.py): no foreign keys on the path of a posting
-- (they cost a fifth; `verify` proves the references instead), few CHECKs (PostgreSQL compiles
-- them anew for every statement), two indexes on `entry`, and as few statements as possible.

CREATE TYPE transfer_state AS ENUM ('pending', 'posted', 'voided', 'expired');

-- An institution's account; its id is the institution's. System accounts (issuance, redemption,
-- expiry) have no row, so that no posting waits for a lock that every posting needs: their balance
-- is the negative sum of their transfers.
CREATE TABLE account (
    id uuid NOT NULL CONSTRAINT pk_account PRIMARY KEY,
    balance bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    floor bigint DEFAULT 0 NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    head bytea DEFAULT ''::bytea NOT NULL,
    opened_at timestamptz DEFAULT now() NOT NULL,
    -- Only a revocation lowers the floor below zero, and credits raise it again (M-051).
    CONSTRAINT ck_account_never_overdrawn
        CHECK (held >= 0 AND floor <= 0 AND balance - held >= floor)
) WITH (fillfactor = 50);  -- room beside each row, so that its updates touch no index

CREATE TABLE transfer (
    id uuid NOT NULL CONSTRAINT pk_transfer PRIMARY KEY,
    state transfer_state NOT NULL,
    kind text NOT NULL,
    debit_account uuid,
    credit_account uuid,
    amount bigint,
    pending_id uuid,
    reverses_id uuid,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    expires_at timestamptz,
    field text,
    title text,
    reference text,
    origin_id uuid,
    metadata jsonb,
    digest bytea NOT NULL,
    -- Without accounts: a hold that was voided before it arrived, and that void.
    CONSTRAINT ck_transfer_moves_points CHECK (
        CASE WHEN amount IS NULL THEN state = 'voided'
             ELSE amount > 0 AND (debit_account <> credit_account) IS TRUE END)
);
CREATE UNIQUE INDEX uq_transfer_hold_ends_once ON transfer (pending_id)
    WHERE pending_id IS NOT NULL;
CREATE INDEX ix_transfer_reverses_id ON transfer (reverses_id) WHERE reverses_id IS NOT NULL;
CREATE INDEX ix_transfer_expires_at ON transfer (expires_at) WHERE expires_at IS NOT NULL;

-- What one transfer did to one account. Versions count up without a gap, in the order of posting.
CREATE TABLE entry (
    account_id uuid NOT NULL,
    version bigint NOT NULL,
    transfer_id uuid NOT NULL,
    amount bigint NOT NULL,
    balance bigint NOT NULL,
    held bigint NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_entry PRIMARY KEY (account_id, version)
);
CREATE INDEX ix_entry_account_id_recorded_at ON entry (account_id, recorded_at);
CREATE INDEX ix_entry_dated_back ON entry (account_id, recorded_at)
    WHERE effective_at < recorded_at;

CREATE TYPE transfer_request AS (
    id uuid,
    state transfer_state,
    kind text,
    debit_account uuid,
    credit_account uuid,
    amount bigint,
    pending_id uuid,
    reverses_id uuid,
    effective_at timestamptz,
    expires_at timestamptz,
    field text,
    title text,
    reference text,
    origin_id uuid,
    metadata jsonb
);

CREATE FUNCTION is_system_account(account uuid) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN account <= '00000000-0000-0000-0000-0000000000ff'::uuid;

-- What the caller asked for; the same id with another digest is a conflict. An instant belongs to
-- it only when the caller named one.
CREATE FUNCTION transfer_digest(request transfer_request) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256(convert_to(jsonb_build_array(
        (request).id, (request).state, (request).kind,
        (request).debit_account, (request).credit_account, (request).amount,
        (request).pending_id, (request).reverses_id,
        extract(epoch FROM (request).effective_at), extract(epoch FROM (request).expires_at),
        (request).field, (request).title, (request).reference,
        (request).origin_id, (request).metadata)::text, 'UTF8'));

-- What an entry adds to its account's chain: hash = sha256(previous hash || this).
CREATE FUNCTION entry_content(
    account_id uuid, version bigint, amount bigint, balance bigint, held bigint,
    effective_at timestamptz, recorded_at timestamptz, digest bytea
) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN uuid_send(account_id) || int8send(version) || int8send(amount) || int8send(balance)
        || int8send(held) || timestamptz_send(effective_at) || timestamptz_send(recorded_at)
        || digest;

CREATE FUNCTION chain_step(state bytea, head bytea, content bytea) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$ BEGIN RETURN sha256(coalesce(state, head) || content); END $$;

-- As a window aggregate: the hashes of an account's new entries, one after the other.
CREATE AGGREGATE chain(head bytea, content bytea) (SFUNC = chain_step, STYPE = bytea);

-- A refusal ends the transaction; the code is the message, its parameters are the detail.
CREATE FUNCTION refuse_transfer(code text, params jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION '%', code USING ERRCODE = 'MLGED', DETAIL = params::text; END $$;

-- Locks the accounts in the order of their ids, so that postings that cross wait for each other
-- and never in a circle. An account that is not there is opened first: a row that does not exist
-- cannot be locked.
CREATE FUNCTION lock_accounts(accounts uuid[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    wanted uuid[] := ARRAY(
        SELECT DISTINCT a FROM unnest(accounts) AS a WHERE NOT is_system_account(a) ORDER BY a);
    locked integer;
BEGIN
    PERFORM FROM account WHERE id = ANY (wanted) ORDER BY id FOR NO KEY UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    IF locked < cardinality(wanted) THEN
        INSERT INTO account (id) SELECT unnest(wanted) ON CONFLICT DO NOTHING;
        PERFORM FROM account WHERE id = ANY (wanted) ORDER BY id FOR NO KEY UPDATE;
    END IF;
END $$;

-- Why some of these transfers are not new: all of them were posted before with the same content
-- (a replay, nothing happens), or this raises the conflict.
CREATE FUNCTION refuse_conflicts(requests transfer_request[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    bad record;
BEGIN
    SELECT r.id, r.state, r.pending_id, known.id AS known_id, known.kind AS known_kind, ends.state AS ended
    INTO bad
    FROM unnest(requests) WITH ORDINALITY AS r
    LEFT JOIN transfer AS known ON known.id = r.id
    LEFT JOIN transfer AS ends ON ends.pending_id = r.pending_id AND known.id IS NULL
    WHERE known.id IS NULL OR known.digest <> transfer_digest(ROW(
        r.id, r.state, r.kind, r.debit_account, r.credit_account, r.amount, r.pending_id,
        r.reverses_id, nullif(r.effective_at, known.recorded_at), r.expires_at, r.field, r.title,
        r.reference, r.origin_id, r.metadata)::transfer_request)
    ORDER BY r.ordinality LIMIT 1;
    IF bad.id IS NULL THEN
        RETURN;
    ELSIF bad.known_id IS NULL THEN
        PERFORM refuse_transfer('HOLD_ENDED', jsonb_build_object(
            'transfer_id', bad.id, 'hold_id', bad.pending_id, 'state', bad.ended));
    ELSIF bad.state = 'pending' AND bad.known_kind = 'tombstone' THEN
        PERFORM refuse_transfer('HOLD_VOIDED', jsonb_build_object('transfer_id', bad.id));
    ELSE
        PERFORM refuse_transfer('TRANSFER_CONFLICT', jsonb_build_object('transfer_id', bad.id));
    END IF;
END $$;

-- A hold is posted before it expires and for no more than was held; a transfer is reversed once
-- in full, or in parts. Called with the accounts locked and the transfers written.
CREATE FUNCTION refuse_bad_references(requests transfer_request[], instant timestamptz)
    RETURNS void LANGUAGE plpgsql
    AS $$
DECLARE
    bad record;
BEGIN
    SELECT r.id, hold.amount, hold.expires_at INTO bad
    FROM unnest(requests) AS r JOIN transfer AS hold ON hold.id = r.pending_id
    WHERE r.state = 'posted' AND (hold.expires_at <= instant OR r.amount > hold.amount)
    LIMIT 1;
    IF bad.amount IS NOT NULL THEN
        PERFORM refuse_transfer(
            CASE WHEN bad.expires_at <= instant THEN 'HOLD_EXPIRED' ELSE 'EXCEEDS_HOLD' END,
            jsonb_build_object('transfer_id', bad.id, 'held', bad.amount));
    END IF;
    SELECT original.id, original.amount, sum(back.amount) AS reversed INTO bad
    FROM transfer AS original JOIN transfer AS back ON back.reverses_id = original.id
    WHERE original.id IN (SELECT reverses_id FROM unnest(requests))
    GROUP BY original.id HAVING sum(back.amount) > original.amount
    LIMIT 1;
    IF bad.amount IS NOT NULL THEN
        PERFORM refuse_transfer('REVERSED_ALREADY', jsonb_build_object(
            'transfer_id', bad.id, 'amount', bad.amount, 'reversed', bad.reversed));
    END IF;
END $$;

-- Posts all of these transfers, or none, and returns how many of them are new. In one statement
-- each: lock, write the transfers, write entries and balances. A transfer counts in the order
-- given: the first that overdraws its account is the one that is refused.
CREATE FUNCTION post_transfers(requests transfer_request[]) RETURNS integer
    LANGUAGE plpgsql
    -- The arrays' lengths do not change the plan; planning anew would cost more than the work.
    SET plan_cache_mode = force_generic_plan
    AS $$
DECLARE
    instant timestamptz;
    fresh uuid[];
    short record;
BEGIN
    PERFORM lock_accounts(
        (SELECT array_agg(r.debit_account) || array_agg(r.credit_account) FROM unnest(requests) AS r));
    -- After the locks: along each account, the order of instants is the order of posting.
    instant := clock_timestamp();

    WITH written AS (
        INSERT INTO transfer
        SELECT r.id, r.state, r.kind, r.debit_account, r.credit_account, r.amount,
            r.pending_id, r.reverses_id, coalesce(r.effective_at, instant), instant,
            r.expires_at, r.field, r.title, r.reference, r.origin_id, r.metadata,
            transfer_digest(r)
        FROM unnest(requests) AS r
        ORDER BY r.id
        ON CONFLICT DO NOTHING
        RETURNING id
    )
    SELECT coalesce(array_agg(id), '{}') INTO fresh FROM written;

    IF cardinality(fresh) < cardinality(requests) THEN
        PERFORM refuse_conflicts(requests);
        requests := ARRAY(
            SELECT requests[first] FROM (
                SELECT min(r.ordinality)::integer AS first
                FROM unnest(requests) WITH ORDINALITY AS r
                WHERE r.id = ANY (fresh) GROUP BY r.id) AS once
            ORDER BY first);
    END IF;
    IF EXISTS (SELECT FROM unnest(requests) AS r
               WHERE r.pending_id IS NOT NULL OR r.reverses_id IS NOT NULL) THEN
        PERFORM refuse_bad_references(requests, instant);
    END IF;

    WITH request AS (
        SELECT r.*, coalesce(r.effective_at, instant) AS effective, t.digest,
            CASE WHEN r.pending_id IS NULL THEN 0
                 ELSE (SELECT hold.amount FROM transfer AS hold WHERE hold.id = r.pending_id)
            END AS released
        FROM unnest(requests) WITH ORDINALITY AS r
        CROSS JOIN LATERAL (SELECT digest FROM transfer WHERE id = r.id) AS t
    ), leg AS (
        SELECT side.*, request.id, request.kind, request.effective, request.digest, request.ordinality,
            request.kind = 'revocation' AND side.amount < 0 AS revoked,
            -- A hold was checked when it was placed; a revocation is never refused.
            request.pending_id IS NULL AND request.kind <> 'revocation' AS guarded
        FROM request CROSS JOIN LATERAL (VALUES
            (request.debit_account,
             CASE request.state WHEN 'posted' THEN -request.amount ELSE 0 END,
             CASE request.state WHEN 'pending' THEN request.amount ELSE -request.released END),
            (request.credit_account, request.amount, 0)
        ) AS side (account_id, amount, held)
        WHERE NOT is_system_account(side.account_id)
            AND (side.account_id = request.debit_account OR request.state = 'posted')
    ), running AS (
        SELECT leg.account_id, leg.id, leg.amount, leg.effective, leg.digest, leg.ordinality,
            leg.guarded AND (leg.amount < 0 OR leg.held > 0) AS guarded,
            account.head,
            account.version + row_number() OVER so_far AS version,
            (account.balance + sum(leg.amount) OVER so_far)::bigint AS balance,
            (account.held + sum(leg.held) OVER so_far)::bigint AS held,
            bool_or(leg.revoked) OVER so_far AS revoked,
            leg.amount - leg.held AS freed
        FROM leg JOIN account ON account.id = leg.account_id
        WINDOW so_far AS (PARTITION BY leg.account_id ORDER BY leg.ordinality)
    ), chained AS (
        SELECT running.*,
            chain(head, entry_content(account_id, version, amount, balance, held, effective,
                                      instant, digest)) OVER so_far AS hash,
            lead(version) OVER so_far IS NULL AS is_last
        FROM running
        WINDOW so_far AS (PARTITION BY account_id ORDER BY ordinality)
    ), refused AS (
        SELECT id, balance - held - freed AS available FROM chained
        WHERE guarded AND balance < held ORDER BY ordinality LIMIT 1
    ), listed AS (
        INSERT INTO entry
        SELECT account_id, version, id, amount, balance, held, effective, instant, hash
        FROM chained
    ), moved AS (
        UPDATE account SET balance = last.balance, held = last.held, version = last.version,
            head = last.hash,
            floor = CASE WHEN last.revoked THEN least(0, last.balance - last.held)
                         ELSE greatest(account.floor, least(0, last.balance - last.held)) END
        FROM chained AS last
        WHERE last.is_last AND account.id = last.account_id
            AND NOT EXISTS (SELECT FROM refused)
    )
    SELECT refused.id, refused.available INTO short FROM refused;
    IF short.id IS NOT NULL THEN
        PERFORM refuse_transfer('INSUFFICIENT', jsonb_build_object(
            'transfer_id', short.id, 'available', greatest(0, short.available)));
    END IF;
    RETURN cardinality(fresh);
END $$;

-- One transfer, posted at once: what `post_transfers` does, in a third of its time. Everything
-- out of the ordinary is left to it. Returns whether the transfer is new.
CREATE FUNCTION post_transfer(request transfer_request) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    digest bytea := transfer_digest(request);
    instant timestamptz;
    effective timestamptz;
    locked integer;
    available bigint;
BEGIN
    IF request.state <> 'posted' OR request.kind = 'revocation'
        OR request.pending_id IS NOT NULL OR request.reverses_id IS NOT NULL THEN
        RETURN post_transfers(ARRAY[request]) = 1;
    END IF;
    SELECT count(*), min(mine.available) FILTER (WHERE mine.id = request.debit_account)
    INTO locked, available
    FROM (SELECT account.id, account.balance - account.held AS available FROM account
          WHERE account.id IN (request.debit_account, request.credit_account)
          ORDER BY account.id FOR NO KEY UPDATE) AS mine;
    IF locked < 2 - is_system_account(request.debit_account)::integer
                  - is_system_account(request.credit_account)::integer THEN
        RETURN post_transfers(ARRAY[request]) = 1;
    END IF;
    instant := clock_timestamp();
    effective := coalesce(request.effective_at, instant);

    INSERT INTO transfer VALUES (
        request.id, request.state, request.kind, request.debit_account, request.credit_account,
        request.amount, NULL, NULL, effective, instant, request.expires_at, request.field,
        request.title, request.reference, request.origin_id, request.metadata, digest)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN post_transfers(ARRAY[request]) = 1;
    END IF;
    IF available < request.amount THEN
        PERFORM refuse_transfer('INSUFFICIENT', jsonb_build_object(
            'transfer_id', request.id, 'available', greatest(0, available)));
    END IF;

    WITH moved AS (
        UPDATE account
        SET balance = account.balance + leg.amount, version = account.version + 1,
            floor = greatest(floor, least(0, account.balance + leg.amount - held)),
            head = sha256(head || entry_content(
                account.id, account.version + 1, leg.amount, account.balance + leg.amount, held,
                effective, instant, digest))
        FROM (VALUES (request.debit_account, -request.amount),
                     (request.credit_account, request.amount)) AS leg (id, amount)
        WHERE account.id = leg.id
        RETURNING account.id, version, leg.amount, balance, held, head
    )
    INSERT INTO entry
    SELECT id, version, request.id, amount, balance, held, effective, instant, head FROM moved;
    RETURN true;
END $$;
