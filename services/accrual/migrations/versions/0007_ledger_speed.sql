-- The functions that post, anew. What was measured (benchmarks/ledger.py) and what changed for it:
--
-- * a digest is computed once for a transfer, not again for each of its sides;
-- * of an entry's hash, all but the chaining is an expression the statement computes by itself;
-- * one transfer locks both accounts by one scan of the primary key;
-- * entries have one index less: along an account, recorded_at never goes back, so an instant is
--   found by halving the versions. Half of what a posting wrote after a checkpoint were pages of
--   that index.
--
-- Hashes and digests are what they were: the ledger so far stays as verifiable as it was.

-- The table is small when this runs for the first time, and dropping an index takes no time.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX ix_entry_account_id_recorded_at;

-- How many entries of an account were recorded by an instant: the version of the last of them.
CREATE FUNCTION version_at(account uuid, instant timestamptz) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    low bigint := 0;
    high bigint := coalesce((SELECT version FROM account AS a WHERE a.id = account), 0);
    middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT recorded_at <= instant FROM entry
            WHERE account_id = account AND version = middle) THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;

-- Called by each other and, of the last release, by its verification: one that is asked for while
-- this is rolled out fails and may be asked for again.
-- squawk-ignore ban-drop-function
DROP AGGREGATE chain(
    bytea, uuid, bigint, bigint, bigint, bigint, timestamptz, timestamptz, bytea);
-- squawk-ignore ban-drop-function
DROP FUNCTION chain_step(
    bytea, bytea, uuid, bigint, bigint, bigint, bigint, timestamptz, timestamptz, bytea);
-- squawk-ignore ban-drop-function
DROP FUNCTION entry_hash(
    bytea, uuid, bigint, bigint, bigint, bigint, timestamptz, timestamptz, bytea);
-- squawk-ignore ban-drop-function
DROP FUNCTION move_points(transfer_request[], timestamptz);

-- What an entry's hash covers beside the hash before it: the entry, and by its digest the transfer.
CREATE FUNCTION entry_content(
    account_id uuid, version bigint, amount bigint, balance bigint, held bigint,
    effective_at timestamptz, recorded_at timestamptz, digest bytea
) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN uuid_send(account_id) || int8send(version) || int8send(amount) || int8send(balance)
        || int8send(held) || timestamptz_send(effective_at) || timestamptz_send(recorded_at)
        || digest;

-- An account's chain, as a window aggregate: the hashes of its new entries, one after the other.
CREATE FUNCTION chain_step(state bytea, head bytea, content bytea) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$ BEGIN RETURN sha256(coalesce(state, head) || content); END $$;
CREATE AGGREGATE chain(bytea, bytea) (SFUNC = chain_step, STYPE = bytea);

-- Writes the entries of new transfers and the accounts they leave, which are locked. A transfer
-- counts in the order given: the first that overdraws its account is the one that is refused.
CREATE FUNCTION move_points(
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
            chain(head, entry_content(account_id, version, amount, balance, held, effective_at,
                recorded_at, digest)) OVER so_far AS hash,
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
    refers boolean;
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
        RETURNING id, pending_id, reverses_id, debit_account, credit_account
    )
    SELECT coalesce(array_agg(id), '{}'), array_agg(debit_account) || array_agg(credit_account),
        bool_or(pending_id IS NOT NULL OR reverses_id IS NOT NULL)
    INTO fresh, accounts, refers FROM written;

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
        PERFORM lock_accounts(accounts);
        IF refers THEN
            PERFORM refuse_bad_references(requests, clock_timestamp());
        END IF;
        PERFORM move_points(requests, digests, instant);
    END IF;
    RETURN cardinality(fresh);
END $$;

-- One transfer, posted at once: what `post_transfers` does, in half of its time. Whatever is out
-- of the ordinary is left to that. Returns whether the transfer is new.
CREATE OR REPLACE FUNCTION post_transfer(request transfer_request) RETURNS boolean
    LANGUAGE plpgsql
    -- A scan of the primary key meets the accounts in the order of their ids, as everybody locks
    -- them. No other kind of scan promises that.
    SET enable_seqscan = off SET enable_bitmapscan = off
    AS $$
DECLARE
    instant timestamptz := clock_timestamp();
    digest bytea;
    written integer;
BEGIN
    IF request.state <> 'posted' OR request.kind = 'revocation'
        OR request.pending_id IS NOT NULL OR request.reverses_id IS NOT NULL THEN
        RETURN post_transfers(ARRAY[request]) = 1;
    END IF;
    digest := transfer_digest(request, instant);
    INSERT INTO transfer VALUES (
        request.id, 'posted', request.kind, request.debit_account, request.credit_account,
        request.amount, NULL, NULL, coalesce(request.effective_at, instant), instant,
        request.expires_at, request.field, request.title, request.reference, request.origin_id,
        request.metadata, digest)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN post_transfers(ARRAY[request]) = 1;
    END IF;

    WITH moved AS (
        -- Who has debt has nothing available: only the payee can be the one who repays.
        UPDATE account
        SET available = available - least(debt, request.amount)
                + CASE id WHEN request.debit_account THEN -request.amount ELSE request.amount END,
            debt = debt - least(debt, request.amount),
            version = version + 1,
            moved_at = greatest(moved_at, instant),
            head = sha256(head || entry_content(id, version + 1,
                CASE id WHEN request.debit_account THEN -request.amount ELSE request.amount END,
                available + held - debt
                    + CASE id WHEN request.debit_account THEN -request.amount
                              ELSE request.amount END,
                held, coalesce(request.effective_at, greatest(moved_at, instant)),
                greatest(moved_at, instant), digest))
        WHERE id = ANY (ARRAY[request.debit_account, request.credit_account])
            AND (id = request.credit_account OR available >= request.amount)
        RETURNING id, version, available + held - debt AS balance, held, moved_at, head
    )
    INSERT INTO entry
    SELECT id, version, request.id,
        CASE id WHEN request.debit_account THEN -request.amount ELSE request.amount END,
        balance, held, coalesce(request.effective_at, moved_at), moved_at, head
    FROM moved;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < 2 THEN
        PERFORM move_missing_sides(request, instant, digest);
    END IF;
    RETURN true;
END $$;

-- What is left when the accounts at hand have been moved: nothing for a system account, which has
-- no row; a payer without the points is refused; the payee's first points open its account.
CREATE FUNCTION move_missing_sides(
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
    PERFORM move_points(ARRAY[request], ARRAY[digest], instant);
END $$;
