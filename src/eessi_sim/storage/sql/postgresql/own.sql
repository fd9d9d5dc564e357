-- Statements that only PostgreSQL needs: several processes share the store, and large octets lie in it.

-- name: lock_journal
-- pg_notify only notes what is sent with the commit.
SELECT pg_current_xact_id()::text, pg_notify(:channel, :nodes),
       pg_advisory_xact_lock(hashtextextended('eessi-sim journal ' || :schema, 0))

-- name: transaction
SELECT pg_current_xact_id_if_assigned()::text

-- name: fate
SELECT pg_xact_status(:transaction::text::xid8)

-- name: lock_pieces_to_send
SELECT pg_advisory_xact_lock_shared(hashtextextended('eessi-sim spool ' || :schema, 0))

-- name: lock_pieces_to_sweep
SELECT pg_advisory_xact_lock(hashtextextended('eessi-sim spool ' || :schema, 0))

-- name: touch_pieces
UPDATE spool_piece SET sent = now() WHERE digest = :digest AND number = 0 RETURNING number

-- name: add_piece
INSERT INTO spool_piece (digest, number, octets) VALUES (:digest, :number, :octets) ON CONFLICT DO NOTHING

-- name: piece
SELECT octets FROM spool_piece WHERE digest = :digest AND number = :number

-- name: sweep_pieces
-- Sent, but the unit of work failed: nobody knows the digest. A day is more than any unit takes (inferred).
DELETE FROM spool_piece WHERE digest IN (
  SELECT digest FROM spool_piece WHERE number = 0 AND sent < now() - interval '1 day'
  EXCEPT SELECT digest FROM message JOIN message_body USING (seq) WHERE length(body) = 0
  EXCEPT SELECT digest FROM content WHERE length(octets) = 0)

-- name: lock_migration
SELECT pg_advisory_xact_lock(hashtextextended('eessi-sim migration ' || :schema, 0))

-- name: tables
SELECT tablename FROM pg_tables WHERE schemaname = :schema

-- name: make_version
CREATE TABLE schema_version (
  version BIGINT NOT NULL        -- number of the newest migration that was done
)

-- name: add_version
INSERT INTO schema_version VALUES (0)

-- name: version
SELECT version FROM schema_version

-- name: set_version
UPDATE schema_version SET version = :version
