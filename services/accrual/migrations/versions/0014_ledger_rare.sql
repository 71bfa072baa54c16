-- A plain transfer, faster once more, and a lighter batch (benchmarks/ledger.py). What was measured,
-- in the server's CPU:
--
-- * four partial indexes were opened and asked by every posting, though holds, their ends, reversals
--   and what is dated back are few: 5 %. They are tables of their own now, written by those few;
-- * an entry's hash spelled out the entry beside the digest of its transfer: 6 %, of which the
--   hashing itself is a fraction. What a transfer does to an account follows from the transfer and
--   the entry before it, and `verify` has always computed that anew, so the chain covers the digest.
--
-- Entries keep the hash they have: `verify` knows both forms (see `ledger/verification.py`).

-- Nothing is posted between the copy below and the functions that go on from it. Whoever waits here
-- in a function of the last release finds that what it calls is gone, and may ask again: it would
-- write nothing into the new tables.
LOCK TABLE transfer, entry IN SHARE ROW EXCLUSIVE MODE;
-- squawk-ignore ban-drop-function
DROP FUNCTION move_points(transfer_request[], bytea[], timestamptz);
-- squawk-ignore renaming-object
ALTER FUNCTION entry_content RENAME TO entry_content_1;

-- A hold ends once: by the transfer that posted, voided or expired it.
CREATE TABLE hold_ending (
    hold_id uuid NOT NULL CONSTRAINT pk_hold_ending PRIMARY KEY,
    transfer_id uuid NOT NULL
);
-- When holds expire that do.
CREATE TABLE hold_expiry (
    expires_at timestamptz NOT NULL,
    hold_id uuid NOT NULL,
    CONSTRAINT pk_hold_expiry PRIMARY KEY (expires_at, hold_id)
);
CREATE TABLE transfer_reversal (
    reversed_id uuid NOT NULL,
    transfer_id uuid NOT NULL,
    CONSTRAINT pk_transfer_reversal PRIMARY KEY (reversed_id, transfer_id)
);
-- Entries with effect before they were recorded.
CREATE TABLE entry_dated_back (
    account_id uuid NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_entry_dated_back PRIMARY KEY (account_id, version)
);
INSERT INTO hold_ending SELECT pending_id, id FROM transfer WHERE pending_id IS NOT NULL;
INSERT INTO hold_expiry
SELECT expires_at, id FROM transfer WHERE state = 'pending' AND expires_at IS NOT NULL;
INSERT INTO transfer_reversal SELECT reverses_id, id FROM transfer WHERE reverses_id IS NOT NULL;
INSERT INTO entry_dated_back
SELECT account_id, version FROM entry WHERE effective_at < recorded_at;

-- The last release still reads by these columns: more slowly, for as long as it is running.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX uq_transfer_hold_ends_once, ix_transfer_expires_at, ix_transfer_reverses_id,
    ix_entry_dated_back;

-- Why some of these transfers are not new: all of them were posted before with the same content
-- (a replay, nothing happens), or this raises the conflict.
CREATE OR REPLACE FUNCTION refuse_conflicts(requests transfer_request[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    bad record;
BEGIN
    SELECT request.id, request.state, known.kind INTO bad
    FROM unnest(requests) AS request JOIN transfer AS known ON known.id = request.id
    WHERE known.digest <> transfer_digest(request, known.recorded_at)
    LIMIT 1;
    IF bad.id IS NULL THEN
        RETURN;
    ELSIF bad.state = 'pending' AND bad.kind = 'tombstone' THEN
        PERFORM refuse_transfer('HOLD_VOIDED', jsonb_build_object('transfer_id', bad.id));
    ELSE
        PERFORM refuse_transfer('TRANSFER_CONFLICT', jsonb_build_object('transfer_id', bad.id));
    END IF;
END $$;

-- Marks the holds these transfers end, each for one of them. Who comes second waits for the first.
CREATE FUNCTION end_holds(requests transfer_request[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    bad record;
BEGIN
    INSERT INTO hold_ending
    SELECT pending_id, id FROM unnest(requests) WHERE pending_id IS NOT NULL ORDER BY pending_id
    ON CONFLICT DO NOTHING;
    SELECT request.id, request.pending_id, ending.state INTO bad
    FROM unnest(requests) AS request
    JOIN hold_ending AS known ON known.hold_id = request.pending_id
    JOIN transfer AS ending ON ending.id = known.transfer_id
    WHERE ending.id <> request.id
    LIMIT 1;
    IF bad.id IS NOT NULL THEN
        PERFORM refuse_transfer('HOLD_ENDED', jsonb_build_object(
            'transfer_id', bad.id, 'hold_id', bad.pending_id, 'state', bad.state));
    END IF;
END $$;

-- A hold is posted before it expires and for no more than was held; a transfer is reversed once
-- in full, or in parts. Called with the accounts locked and the transfers written.
CREATE OR REPLACE FUNCTION refuse_bad_references(requests transfer_request[], instant timestamptz)
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
    FROM transfer AS original
    JOIN transfer_reversal AS known ON known.reversed_id = original.id
    JOIN transfer AS back ON back.id = known.transfer_id
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
CREATE FUNCTION write_entries(
    requests transfer_request[], digests bytea[], instant timestamptz
) RETURNS void
    LANGUAGE plpgsql
    -- The arrays' lengths do not change the plan; planning anew would cost more than the work.
    SET plan_cache_mode = force_generic_plan
    AS $$
DECLARE
    short record;
BEGIN
    WITH leg AS (
        SELECT side.*, request.id, request.effective_at, request.digest, request.ordinality,
            request.kind = 'revocation' AS revoked,
            -- A hold was checked when it was placed, and a revocation is never refused.
            side.amount - side.held < 0 AND request.pending_id IS NULL
                AND request.kind <> 'revocation' AS guarded
        FROM unnest(requests, digests) WITH ORDINALITY AS request (
            id, state, kind, debit_account, credit_account, amount, pending_id, reverses_id,
            effective_at, expires_at, field, title, reference, origin_id, metadata, digest)
        CROSS JOIN LATERAL (VALUES
            (request.debit_account,
             CASE request.state WHEN 'posted' THEN -request.amount ELSE 0 END,
             CASE WHEN request.state = 'pending' THEN request.amount
                WHEN request.pending_id IS NULL THEN 0
                ELSE -(SELECT hold.amount FROM transfer AS hold WHERE hold.id = request.pending_id)
             END),
            (CASE request.state WHEN 'posted' THEN request.credit_account END, request.amount, 0)
        ) AS side (account_id, amount, held)
        WHERE NOT is_system_account(side.account_id)
    ), running AS (
        SELECT leg.account_id, leg.id, leg.amount, leg.held AS held_by_it,
            leg.digest, leg.ordinality, leg.guarded, account.head, account.debt,
            greatest(account.moved_at, instant) AS recorded_at,
            coalesce(leg.effective_at, greatest(account.moved_at, instant)) AS effective_at,
            account.version + row_number() OVER so_far AS version,
            (account.available + account.held - account.debt
                + sum(leg.amount) OVER so_far)::bigint AS balance,
            (account.held + sum(leg.held) OVER so_far)::bigint AS held,
            bool_or(leg.revoked) OVER so_far AS revoked
        FROM leg JOIN account ON account.id = leg.account_id
        WINDOW so_far AS (
            PARTITION BY leg.account_id ORDER BY leg.ordinality ROWS UNBOUNDED PRECEDING)
    ), chained AS (
        SELECT running.*,
            chain(head, digest) OVER so_far AS hash,
            lead(version) OVER so_far IS NULL AS is_last
        FROM running
        WINDOW so_far AS (
            PARTITION BY account_id ORDER BY ordinality ROWS UNBOUNDED PRECEDING)
    ), refused AS (
        SELECT id, balance - amount - held + held_by_it AS available FROM chained
        WHERE guarded AND balance < held ORDER BY ordinality LIMIT 1
    ), listed AS (
        INSERT INTO entry
        SELECT account_id, version, id, amount, balance, held, effective_at, recorded_at, hash
        FROM chained
    ), dated_back AS (
        INSERT INTO entry_dated_back
        SELECT account_id, version FROM chained WHERE effective_at < recorded_at
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
CREATE OR REPLACE FUNCTION post_transfers(requests transfer_request[]) RETURNS integer
    LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan
    AS $$
DECLARE
    instant timestamptz := clock_timestamp();
    digests bytea[] := ARRAY(SELECT transfer_digest(r, instant) FROM unnest(requests) AS r);
    fresh uuid[];
    ends boolean;
    expires boolean;
    undoes boolean;
    accounts uuid[];
    kept integer[];
BEGIN
    -- Transfers first and accounts after, both in order: nobody waits in a circle.
    WITH written AS (
        INSERT INTO transfer
        SELECT request.id, request.state::transfer_state, request.kind, request.debit_account,
            request.credit_account, request.amount, request.pending_id, request.reverses_id,
            coalesce(request.effective_at, instant), instant, request.expires_at, request.field,
            request.title, request.reference, request.origin_id, request.metadata,
            request.digest
        FROM unnest(requests, digests) AS request (
            id, state, kind, debit_account, credit_account, amount, pending_id, reverses_id,
            effective_at, expires_at, field, title, reference, origin_id, metadata, digest)
        ORDER BY request.id
        ON CONFLICT DO NOTHING
        RETURNING id, state, pending_id, reverses_id, expires_at, debit_account, credit_account
    )
    SELECT coalesce(array_agg(id), '{}'), array_agg(debit_account) || array_agg(credit_account),
        bool_or(pending_id IS NOT NULL), bool_or(state = 'pending' AND expires_at IS NOT NULL),
        bool_or(reverses_id IS NOT NULL)
    INTO fresh, accounts, ends, expires, undoes FROM written;

    IF cardinality(fresh) < cardinality(requests) THEN
        PERFORM refuse_conflicts(requests);
        kept := ARRAY(
            SELECT min(r.ordinality)::integer
            FROM unnest(requests) WITH ORDINALITY AS r
            WHERE r.id = ANY (fresh) GROUP BY r.id ORDER BY 1);
        requests := ARRAY(SELECT requests[k] FROM unnest(kept) AS k);
        digests := ARRAY(SELECT digests[k] FROM unnest(kept) AS k);
    END IF;
    IF cardinality(fresh) > 0 THEN
        IF ends THEN
            PERFORM end_holds(requests);
        END IF;
        IF expires THEN
            INSERT INTO hold_expiry SELECT expires_at, id FROM unnest(requests)
            WHERE state = 'pending' AND expires_at IS NOT NULL;
        END IF;
        IF undoes THEN
            INSERT INTO transfer_reversal SELECT reverses_id, id FROM unnest(requests)
            WHERE reverses_id IS NOT NULL;
        END IF;
        PERFORM lock_accounts(accounts);
        IF ends OR undoes THEN
            PERFORM refuse_bad_references(requests, clock_timestamp());
        END IF;
        PERFORM write_entries(requests, digests, instant);
    END IF;
    RETURN cardinality(fresh);
END $$;

-- Posts one transfer between accounts at once, as `post_transfers` would, which is where whatever
-- is out of the ordinary goes: holds and their ends, reversals, revocations. Returns whether it is
-- new.
CREATE OR REPLACE FUNCTION post_transfer(
    new_id uuid, kind text, debit uuid, credit uuid, points bigint, effective timestamptz,
    field text, title text, reference text, origin uuid, metadata jsonb
) RETURNS boolean
    LANGUAGE plpgsql
    -- A scan of the primary key meets the accounts in the order of their ids, as everybody locks
    -- them. No other kind of scan promises that.
    SET enable_seqscan = off SET enable_bitmapscan = off
    AS $$
DECLARE
    instant timestamptz := clock_timestamp();
    digest bytea := transfer_digest(ROW(new_id, 'posted', kind, debit, credit, points, NULL, NULL,
        effective, NULL, field, title, reference, origin, metadata)::transfer_request, instant);
    written integer;
BEGIN
    INSERT INTO transfer VALUES (
        new_id, 'posted', kind, debit, credit, points, NULL, NULL, coalesce(effective, instant),
        instant, NULL, field, title, reference, origin, metadata, digest)
    ON CONFLICT ON CONSTRAINT pk_transfer DO NOTHING;
    IF NOT FOUND THEN
        RETURN post_transfers(ARRAY[ROW(new_id, 'posted', kind, debit, credit, points, NULL, NULL,
            effective, NULL, field, title, reference, origin, metadata)::transfer_request]) = 1;
    END IF;

    WITH moved AS (
        -- Who has debt has nothing available: only the payee can be the one who repays.
        UPDATE account
        SET available = available - least(debt, points)
                + CASE id WHEN debit THEN -points ELSE points END,
            debt = debt - least(debt, points),
            version = version + 1,
            moved_at = greatest(moved_at, instant),
            head = sha256(head || digest)
        WHERE id = ANY (ARRAY[debit, credit]) AND (id = credit OR available >= points)
        RETURNING id, version, available + held - debt AS balance, held, moved_at, head
    )
    INSERT INTO entry
    SELECT id, version, new_id, CASE id WHEN debit THEN -points ELSE points END, balance, held,
        coalesce(effective, moved_at), moved_at, head
    FROM moved;
    GET DIAGNOSTICS written = ROW_COUNT;
    -- One question in the ordinary case; what follows is out of the ordinary, or issuing.
    IF written < 2 OR effective IS NOT NULL THEN
        IF effective IS NOT NULL THEN
            INSERT INTO entry_dated_back
            SELECT last.account_id, last.version
            FROM account JOIN entry AS last ON last.account_id = account.id
                AND last.version = account.version
            WHERE account.id IN (debit, credit) AND last.transfer_id = new_id
                AND last.effective_at < last.recorded_at;
        END IF;
        IF written < (NOT is_system_account(debit))::integer
                + (NOT is_system_account(credit))::integer THEN
            PERFORM move_missing_sides(
                ROW(new_id, 'posted', kind, debit, credit, points, NULL, NULL, effective, NULL,
                    field, title, reference, origin, metadata)::transfer_request,
                instant, digest);
        END IF;
    END IF;
    RETURN true;
END $$;

-- What is left when the accounts at hand have been moved: nothing for a system account, which has
-- no row; a payer without the points is refused; the payee's first points open its account.
CREATE OR REPLACE FUNCTION move_missing_sides(
    request transfer_request, instant timestamptz, digest bytea
) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT is_system_account(request.debit_account) AND NOT EXISTS (
            SELECT FROM account JOIN entry ON account_id = account.id
                AND entry.version = account.version
            WHERE account.id = request.debit_account AND transfer_id = request.id) THEN
        PERFORM refuse_transfer('INSUFFICIENT', jsonb_build_object(
            'transfer_id', request.id, 'available', coalesce(
                (SELECT available FROM account WHERE id = request.debit_account), 0)));
    END IF;
    IF is_system_account(request.credit_account) OR EXISTS (
            SELECT FROM account JOIN entry ON account_id = account.id
                AND entry.version = account.version
            WHERE account.id = request.credit_account AND transfer_id = request.id) THEN
        RETURN;
    END IF;
    request.debit_account := NULL;
    PERFORM lock_accounts(ARRAY[request.credit_account]);
    PERFORM write_entries(ARRAY[request], ARRAY[digest], instant);
END $$;
