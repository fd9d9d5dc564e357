-- Statements that only PostgreSQL needs: several processes share the store, and large octets lie in it.

-- name: anything_due_in_channel
-- Asked before a claim, which would take a transaction; SQLite claims at once.
SELECT 1 FROM message
 WHERE node = :node AND direction = :direction AND channel = :channel AND state = ANY(:states::text[])
   AND ready_us <= :now_us
 LIMIT 1

-- name: analyze
-- The server does so once a minute at the soonest; until then it takes every index to be as good as any other.
ANALYZE message, message_body, case_file, document, content, journal, tally

-- name: lock_journal
-- pg_notify only notes what is sent with the commit.
SELECT pg_current_xact_id()::text, pg_notify(:channel, :nodes),
       pg_advisory_xact_lock(hashtextextended('eessi-sim journal ' || :schema, 0)),
       (SELECT coalesce(max(seq), 0) FROM journal)

-- name: transaction
SELECT pg_current_xact_id_if_assigned()::text

-- name: fate
SELECT pg_xact_status(:transaction::text::xid8)

-- name: is_written
SELECT EXISTS (
  SELECT FROM journal
   WHERE seq > :before AND node = :node AND at_us = :at_us AND step = :step AND outcome = :outcome
     AND message_id IS NOT DISTINCT FROM :message_id AND case_id IS NOT DISTINCT FROM :case_id AND detail = :detail)

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
INSERT INTO schema_version (version) VALUES (:version)

-- name: version
SELECT version FROM schema_version

-- name: set_version
UPDATE schema_version SET version = :version

-- name: columns
-- Of each table, those that can be written.
SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
  FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
 WHERE table_schema = :schema AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
 GROUP BY table_name

-- name: identities
SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = :schema AND is_identity = 'YES'

-- name: sizes
SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM case_file), (SELECT count(*) FROM document),
       (SELECT count(*) FROM journal),
       (SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0)
          FROM pg_class WHERE relnamespace = :schema::text::regnamespace AND relkind = 'r')

-- name: wrong_tallies
-- Empty in a consistent store: counts that differ from what they count.
SELECT node, direction, kind, state, sum(number) FROM (
  SELECT node, direction, kind, state, number FROM tally
  UNION ALL SELECT node, direction, kind, state, -1 FROM message
  UNION ALL SELECT node, '', 'case', '', -1 FROM case_file
  UNION ALL SELECT node, '', 'document', '', -1 FROM document) AS counted
 GROUP BY node, direction, kind, state HAVING sum(number) <> 0

-- name: missing_pieces
SELECT digest FROM message JOIN message_body USING (seq) WHERE length(body) = 0 AND digest <> :nothing
UNION SELECT digest FROM content WHERE length(octets) = 0 AND digest <> :nothing
EXCEPT SELECT digest FROM spool_piece WHERE number = 0
