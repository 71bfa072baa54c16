-- The ledger: accounts, transfers, entries, and the functions that write them.
--
-- What is measured decides here (benchmarks/ledger.py). On the path of a posting there are no
-- foreign keys (they cost a fifth; `verify` proves the references instead) and no CHECKs:
-- PostgreSQL parses those anew for every statement, while it keeps the conditions of a domain.
-- (Domains are hard to change online; these conditions hold for ever.)

-- squawk-ignore ban-create-domain-with-constraint
CREATE DOMAIN points AS bigint CONSTRAINT points_never_negative CHECK (VALUE >= 0);
-- squawk-ignore ban-create-domain-with-constraint
CREATE DOMAIN positive_points AS bigint CONSTRAINT points_positive CHECK (VALUE > 0);
CREATE TYPE transfer_state AS ENUM ('pending', 'posted', 'voided', 'expired');

-- An institution's account; its id is the institution's. balance = available + held - debt.
-- Debt is what a revocation took though it was spent or held: the next points repay it (M-051).
-- System accounts (issuance, redemption, expiry) have no row, so that no posting waits for a lock
-- that every posting needs: their balance is the negative sum of their transfers.
CREATE TABLE account (
    id uuid NOT NULL CONSTRAINT pk_account PRIMARY KEY,
    available points DEFAULT 0 NOT NULL,
    held points DEFAULT 0 NOT NULL,
    debt points DEFAULT 0 NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    head bytea DEFAULT ''::bytea NOT NULL,
    moved_at timestamptz DEFAULT now() NOT NULL,
    opened_at timestamptz DEFAULT now() NOT NULL
) WITH (fillfactor = 50);  -- room beside each row, so that its updates touch no index

-- Accounts and amount are null in one case: a hold voided before it arrived, and that void.
CREATE TABLE transfer (
    id uuid NOT NULL CONSTRAINT pk_transfer PRIMARY KEY,
    state transfer_state NOT NULL,
    kind text NOT NULL,
    debit_account uuid,
    credit_account uuid,
    amount positive_points,
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
    digest bytea NOT NULL
);
CREATE UNIQUE INDEX uq_transfer_hold_ends_once ON transfer (pending_id)
    WHERE pending_id IS NOT NULL;
CREATE INDEX ix_transfer_reverses_id ON transfer (reverses_id) WHERE reverses_id IS NOT NULL;
CREATE INDEX ix_transfer_expires_at ON transfer (expires_at) WHERE expires_at IS NOT NULL;

-- What one transfer did to one account. Along an account, versions count up without a gap and
-- recorded_at never goes back, whatever the clock does.
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

-- A transfer as its maker asks for it.
CREATE TYPE transfer_request AS (
    id uuid,
    state text,
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

-- Every column of a transfer. The binary form of the request must never change: its types are
-- built-in ones, whose numbers are the same in every database, and another column means another
-- type.
CREATE FUNCTION transfer_digest(request transfer_request, recorded_at timestamptz) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256(record_send(request) || timestamptz_send(recorded_at));

-- An account's chain: each entry's hash covers the one before it, the entry, and the transfer.
-- Not in SQL: an expression inlined into a statement is set up anew for every call.
CREATE FUNCTION entry_hash(
    previous bytea, account_id uuid, version bigint, amount bigint, balance bigint, held bigint,
    effective_at timestamptz, recorded_at timestamptz, digest bytea
) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN sha256(previous || uuid_send(account_id) || int8send(version) || int8send(amount)
        || int8send(balance) || int8send(held)
        || timestamptz_send(coalesce(effective_at, recorded_at)) || timestamptz_send(recorded_at)
        || digest);
END $$;

CREATE FUNCTION chain_step(
    state bytea, head bytea, account_id uuid, version bigint, amount bigint, balance bigint,
    held bigint, effective_at timestamptz, recorded_at timestamptz, digest bytea
) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN entry_hash(coalesce(state, head), account_id, version, amount, balance, held,
        effective_at, recorded_at, digest);
END $$;

-- As a window aggregate: the hashes of an account's new entries, one after the other.
CREATE AGGREGATE chain(bytea, uuid, bigint, bigint, bigint, bigint, timestamptz, timestamptz, bytea)
    (SFUNC = chain_step, STYPE = bytea);

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
    SELECT request.id, request.state, request.pending_id, known.id AS known_id,
        known.kind AS known_kind, ending.state AS ended
    INTO bad
    FROM unnest(requests) AS request
    LEFT JOIN transfer AS known ON known.id = request.id
    LEFT JOIN transfer AS ending ON ending.pending_id = request.pending_id AND known.id IS NULL
    WHERE known.id IS NULL OR known.digest <> transfer_digest(request, known.recorded_at)
    LIMIT 1;
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
    SELECT request.id, hold.amount, hold.expires_at INTO bad
    FROM unnest(requests) AS request JOIN transfer AS hold ON hold.id = request.pending_id
    WHERE request.state = 'posted' AND (hold.expires_at <= instant OR request.amount > hold.amount)
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

-- Writes the entries of new transfers and the accounts they leave, which are locked. A transfer
-- counts in the order given: the first that overdraws its account is the one that is refused.
CREATE FUNCTION move_points(requests transfer_request[], instant timestamptz) RETURNS void
    LANGUAGE plpgsql
    -- The arrays' lengths do not change the plan; planning anew would cost more than the work.
    SET plan_cache_mode = force_generic_plan
    AS $$
DECLARE
    short record;
BEGIN
    WITH request AS (
        SELECT r.*, transfer_digest(ROW(r.id, r.state, r.kind, r.debit_account, r.credit_account,
                r.amount, r.pending_id, r.reverses_id, r.effective_at, r.expires_at, r.field,
                r.title, r.reference, r.origin_id, r.metadata)::transfer_request, instant)
                AS digest,
            CASE WHEN r.pending_id IS NULL THEN 0
                 ELSE (SELECT hold.amount FROM transfer AS hold WHERE hold.id = r.pending_id)
            END AS released
        FROM unnest(requests) WITH ORDINALITY AS r
    ), leg AS (
        SELECT side.*, request.id, request.effective_at, request.digest, request.ordinality,
            request.kind = 'revocation' AS revoked,
            -- A hold was checked when it was placed, and a revocation is never refused.
            side.amount - side.held < 0 AND request.pending_id IS NULL
                AND request.kind <> 'revocation' AS guarded
        FROM request CROSS JOIN LATERAL (VALUES
            (request.debit_account,
             CASE request.state WHEN 'posted' THEN -request.amount ELSE 0 END,
             CASE request.state WHEN 'pending' THEN request.amount ELSE -request.released END),
            (CASE request.state WHEN 'posted' THEN request.credit_account END, request.amount, 0)
        ) AS side (account_id, amount, held)
        WHERE NOT is_system_account(side.account_id)
    ), running AS (
        SELECT leg.account_id, leg.id, leg.amount, leg.held AS held_by_it, leg.effective_at,
            leg.digest, leg.ordinality, leg.guarded, account.head, account.debt,
            greatest(account.moved_at, instant) AS recorded_at,
            account.version + row_number() OVER so_far AS version,
            (account.available + account.held - account.debt
                + sum(leg.amount) OVER so_far)::bigint AS balance,
            (account.held + sum(leg.held) OVER so_far)::bigint AS held,
            bool_or(leg.revoked) OVER so_far AS revoked
        FROM leg JOIN account ON account.id = leg.account_id
        WINDOW so_far AS (PARTITION BY leg.account_id ORDER BY leg.ordinality)
    ), chained AS (
        SELECT running.*,
            chain(head, account_id, version, amount, balance, held, effective_at, recorded_at,
                  digest) OVER so_far AS hash,
            lead(version) OVER so_far IS NULL AS is_last
        FROM running
        WINDOW so_far AS (PARTITION BY account_id ORDER BY ordinality)
    ), refused AS (
        SELECT id, balance - amount - held + held_by_it AS available FROM chained
        WHERE guarded AND balance < held ORDER BY ordinality LIMIT 1
    ), listed AS (
        INSERT INTO entry
        SELECT account_id, version, id, amount, balance, held,
            coalesce(effective_at, recorded_at), recorded_at, hash
        FROM chained
    ), left_as AS (
        -- Only a revocation makes debt; whatever else comes in repays it.
        SELECT chained.*, least(CASE WHEN revoked THEN NULL ELSE debt END,
                                greatest(0, held - balance)) AS new_debt
        FROM chained WHERE is_last AND NOT EXISTS (SELECT FROM refused)
    ), moved AS (
        UPDATE account
        SET available = balance - left_as.held + new_debt, held = left_as.held, debt = new_debt,
            version = left_as.version, head = left_as.hash, moved_at = left_as.recorded_at
        FROM left_as WHERE account.id = left_as.account_id
    )
    SELECT refused.id, refused.available INTO short FROM refused;
    IF short.id IS NOT NULL THEN
        PERFORM refuse_transfer('INSUFFICIENT', jsonb_build_object(
            'transfer_id', short.id, 'available', greatest(0, short.available)));
    END IF;
END $$;

-- Posts all of these transfers, or none, and returns how many of them are new.
CREATE FUNCTION post_transfers(requests transfer_request[]) RETURNS integer
    LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan
    AS $$
DECLARE
    instant timestamptz := clock_timestamp();
    fresh uuid[];
    refers boolean;
    accounts uuid[];
BEGIN
    -- Transfers first and accounts after, both in order: nobody waits in a circle.
    WITH written AS (
        INSERT INTO transfer
        SELECT request.id, request.state::transfer_state, request.kind, request.debit_account,
            request.credit_account, request.amount, request.pending_id, request.reverses_id,
            coalesce(request.effective_at, instant), instant, request.expires_at, request.field,
            request.title, request.reference, request.origin_id, request.metadata,
            transfer_digest(request, instant)
        FROM unnest(requests) AS request
        ORDER BY request.id
        ON CONFLICT DO NOTHING
        RETURNING id, pending_id, reverses_id, debit_account, credit_account
    )
    SELECT coalesce(array_agg(id), '{}'), array_agg(debit_account) || array_agg(credit_account),
        bool_or(pending_id IS NOT NULL OR reverses_id IS NOT NULL)
    INTO fresh, accounts, refers FROM written;

    IF cardinality(fresh) < cardinality(requests) THEN
        PERFORM refuse_conflicts(requests);
        requests := ARRAY(
            SELECT requests[first] FROM (
                SELECT min(r.ordinality)::integer AS first
                FROM unnest(requests) WITH ORDINALITY AS r
                WHERE r.id = ANY (fresh) GROUP BY r.id) AS once
            ORDER BY first);
    END IF;
    IF cardinality(fresh) > 0 THEN
        PERFORM lock_accounts(accounts);
        IF refers THEN
            PERFORM refuse_bad_references(requests, clock_timestamp());
        END IF;
        PERFORM move_points(requests, instant);
    END IF;
    RETURN cardinality(fresh);
END $$;

-- One transfer, posted at once: what `post_transfers` does, in half of its time. Whatever is out
-- of the ordinary is left to that. Returns whether the transfer is new.
CREATE FUNCTION post_transfer(request transfer_request) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    instant timestamptz := clock_timestamp();
    digest bytea := transfer_digest(request, instant);
    debit uuid := request.debit_account;
    credit uuid := request.credit_account;
    low uuid := least(debit, credit);
    high uuid := greatest(debit, credit);
    to_low bigint := CASE WHEN low = debit THEN -request.amount ELSE request.amount END;
    missing integer := 2 - is_system_account(low)::integer - is_system_account(high)::integer;
    written integer;
BEGIN
    IF request.state <> 'posted' OR request.kind = 'revocation'
        OR request.pending_id IS NOT NULL OR request.reverses_id IS NOT NULL THEN
        RETURN post_transfers(ARRAY[request]) = 1;
    END IF;
    INSERT INTO transfer VALUES (
        request.id, 'posted', request.kind, debit, credit, request.amount, NULL, NULL,
        coalesce(request.effective_at, instant), instant, request.expires_at, request.field,
        request.title, request.reference, request.origin_id, request.metadata, digest)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN post_transfers(ARRAY[request]) = 1;
    END IF;
    LOOP
        WITH moved AS (
            UPDATE account
            SET available = available + leg.amount - greatest(0, least(debt, leg.amount)),
                debt = debt - greatest(0, least(debt, leg.amount)),
                version = version + 1,
                moved_at = greatest(moved_at, instant),
                head = entry_hash(head, account.id, version + 1, leg.amount,
                    available + held - debt + leg.amount, held, request.effective_at,
                    greatest(moved_at, instant), digest)
            -- The lower id first, as everybody locks.
            FROM (VALUES (low, to_low), (high, -to_low)) AS leg (id, amount)
            WHERE account.id = leg.id AND available + leg.amount >= 0
            RETURNING account.id, version, leg.amount, available + held - debt AS balance, held,
                moved_at, head
        )
        INSERT INTO entry
        SELECT id, version, request.id, amount, balance, held,
            coalesce(request.effective_at, moved_at), moved_at, head
        FROM moved;
        GET DIAGNOSTICS written = ROW_COUNT;
        missing := missing - written;
        EXIT WHEN missing = 0;
        -- The payee's first points open its account; otherwise it is the payer's that are short.
        INSERT INTO account (id) SELECT credit WHERE NOT is_system_account(credit)
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            PERFORM refuse_transfer('INSUFFICIENT', jsonb_build_object(
                'transfer_id', request.id, 'available',
                coalesce((SELECT available FROM account WHERE id = debit), 0)));
        END IF;
        low := credit;
        high := NULL;
        to_low := request.amount;
    END LOOP;
    RETURN true;
END $$;
