-- One plain transfer, faster (benchmarks/ledger.py). What was counted, instruction by instruction:
--
-- * a record as the argument is copied and taken apart for every call: values are not, and nothing
--   is asked of a transfer that is known to be plain;
-- * a payer or payee without a row (issuance, redemption, expiry) is known by its id: no look at
--   entries tells again that it has none.
--
-- What is left above a function that keeps no chain is the hashing, a fifth of the call.

-- Posts one transfer between accounts at once, as `post_transfers` would, which is where whatever
-- is out of the ordinary goes: holds and their ends, reversals, revocations. Returns whether it is
-- new.
CREATE FUNCTION post_transfer(
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
            head = sha256(head || entry_content(id, version + 1,
                CASE id WHEN debit THEN -points ELSE points END,
                available + held - debt + CASE id WHEN debit THEN -points ELSE points END,
                held, coalesce(effective, greatest(moved_at, instant)),
                greatest(moved_at, instant), digest))
        WHERE id = ANY (ARRAY[debit, credit]) AND (id = credit OR available >= points)
        RETURNING id, version, available + held - debt AS balance, held, moved_at, head
    )
    INSERT INTO entry
    SELECT id, version, new_id, CASE id WHEN debit THEN -points ELSE points END, balance, held,
        coalesce(effective, moved_at), moved_at, head
    FROM moved;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written < 2
        AND written < (NOT is_system_account(debit))::integer
            + (NOT is_system_account(credit))::integer THEN
        PERFORM move_missing_sides(
            ROW(new_id, 'posted', kind, debit, credit, points, NULL, NULL, effective, NULL, field,
                title, reference, origin, metadata)::transfer_request, instant, digest);
    END IF;
    RETURN true;
END $$;

-- The one of the last release, which takes a record, for as long as that is running; the next
-- migration of the ledger may drop it.
CREATE OR REPLACE FUNCTION post_transfer(request transfer_request) RETURNS boolean
    LANGUAGE sql
    AS $$ SELECT post_transfers(ARRAY[request]) = 1 $$;
