-- Every statement of the PostgreSQL back end, by name: the names are those of SQLite, the parameters are named like
-- the columns, a list of them in the plural. Where SQLite asks row by row, a list spares the way to the server.

-- name: add_message
WITH added AS (
INSERT INTO message
       (node, direction, message_id, kind, state, sender, receiver, conversation, content_type, digest,
        created_us, updated_us, ref_to, endpoint, channel, attempts, due_us, leased_us, accepted_us,
        receipted_us, last_error, details)
VALUES (:node, :direction, :message_id, :kind, :state, :sender, :receiver, :conversation, :content_type, :digest,
        :created_us, :updated_us, :ref_to, :endpoint, :channel, :attempts, :due_us, :leased_us, :accepted_us,
        :receipted_us, :last_error, :details)
RETURNING seq)
INSERT INTO message_body (seq, body) SELECT seq, :body::bytea FROM added

-- name: put_body
INSERT INTO message_body (seq, body) VALUES (:seq, :body)
    ON CONFLICT (seq) DO UPDATE SET body = excluded.body

-- name: update_message
UPDATE message
   SET state = :state, content_type = :content_type, digest = :digest, updated_us = :updated_us,
       endpoint = :endpoint, channel = :channel, attempts = :attempts, due_us = :due_us,
       leased_us = :leased_us, accepted_us = :accepted_us, receipted_us = :receipted_us,
       last_error = :last_error, details = :details
 WHERE seq = :seq

-- name: release_leases
UPDATE message SET leased_us = 0 WHERE node = :node AND leased_us > 0 AND leased_to = :worker

-- name: lease_to
UPDATE message
   SET state = :state, leased_us = :leased_us, leased_to = :worker, updated_us = :updated_us
 WHERE seq = ANY(:seqs::bigint[])

-- name: find_message
SELECT stored_message.*, body FROM stored_message JOIN message_body USING (seq)
 WHERE node = :node AND direction = :direction AND message_id = :message_id

-- name: message_to_change
-- All of a transaction at once, always in the same order: two transactions never wait for each other.
SELECT message.* FROM stored_message AS message
  JOIN unnest(:nodes::text[], :directions::text[], :message_ids::text[]) AS wanted (node, direction, message_id)
       USING (node, direction, message_id)
 ORDER BY message.seq FOR UPDATE OF message

-- name: message_body
SELECT seq, body FROM message_body WHERE seq = ANY(:seqs::bigint[])

-- name: due_messages
-- What another claim holds right now is left out, not waited for.
SELECT due.ready_us, due.seq FROM unnest(:states::text[]) AS wanted (state) CROSS JOIN LATERAL (
  SELECT ready_us, seq FROM message
   WHERE node = :node AND direction = :direction AND message.state = wanted.state AND ready_us <= :now_us
   ORDER BY ready_us, seq LIMIT :limit FOR UPDATE SKIP LOCKED) AS due
 ORDER BY due.ready_us, due.seq

-- name: due_messages_of_channel
SELECT due.ready_us, due.seq FROM unnest(:states::text[]) AS wanted (state) CROSS JOIN LATERAL (
  SELECT ready_us, seq FROM message
   WHERE node = :node AND direction = :direction AND channel = :channel AND message.state = wanted.state
     AND ready_us <= :now_us
   ORDER BY ready_us, seq LIMIT :limit FOR UPDATE SKIP LOCKED) AS due
 ORDER BY due.ready_us, due.seq

-- name: message_by_seq
SELECT stored_message.*, body FROM stored_message JOIN message_body USING (seq) WHERE seq = ANY(:seqs::bigint[])

-- name: oldest
SELECT first.created_us FROM unnest(:states::text[]) AS wanted (state)
 CROSS JOIN unnest(:kinds::text[]) AS unit (kind) CROSS JOIN LATERAL (
  SELECT seq, created_us FROM message
   WHERE node = :node AND direction = :direction AND message.kind = unit.kind AND message.state = wanted.state
   ORDER BY seq LIMIT 1) AS first
 ORDER BY first.seq LIMIT 1

-- name: next_due
SELECT due.ready_us FROM unnest(:states::text[]) AS wanted (state) CROSS JOIN LATERAL (
  SELECT ready_us FROM message
   WHERE node = :node AND direction = :direction AND message.state = wanted.state
   ORDER BY ready_us LIMIT 1) AS due
 ORDER BY due.ready_us LIMIT 1

-- name: messages_of_lane
-- All lanes that are wanted in one statement, which sees one state of the store.
SELECT found.* FROM tally CROSS JOIN LATERAL (
  SELECT * FROM stored_message AS message
   WHERE message.node = tally.node AND message.direction = tally.direction AND message.kind = tally.kind
     AND message.state = tally.state AND message.seq < :before
   ORDER BY message.seq DESC LIMIT :limit) AS found
 WHERE tally.node = :node AND tally.direction <> '' AND tally.number > 0
   AND (:direction::text IS NULL OR tally.direction = :direction) AND (:kind::text IS NULL OR tally.kind = :kind)
   AND (:states::text[] IS NULL OR tally.state = ANY(:states))
 ORDER BY found.seq DESC LIMIT :limit

-- name: messages_by_ref
-- seq + 0: a few belong to one reference; going down all numbers from "before" on would read the others as well.
SELECT * FROM stored_message WHERE node = :node AND ref_to = :reference AND seq + 0 < :before ORDER BY seq + 0 DESC

-- name: messages_by_conversation
SELECT * FROM stored_message WHERE node = :node AND conversation = :reference AND seq + 0 < :before ORDER BY seq + 0 DESC

-- name: case_revision
-- In the same order always, as messages. Also the cases that have the international ids already. Two ways to a case,
-- each with its index; one condition with OR would read all cases of the node.
SELECT case_file.node, case_file.case_id, case_file.revision, case_file.international_id FROM case_file
 WHERE seq IN (
  SELECT known.seq FROM unnest(:nodes::text[], :case_ids::text[]) AS wanted (node, case_id)
   CROSS JOIN LATERAL (SELECT seq FROM case_file
                        WHERE node = wanted.node AND case_id = wanted.case_id LIMIT 1) AS known
  UNION
  SELECT known.seq FROM unnest(:nodes::text[], :international_ids::text[]) AS wanted (node, international_id)
   CROSS JOIN LATERAL (SELECT seq FROM case_file
                        WHERE node = wanted.node AND international_id = wanted.international_id LIMIT 1) AS known)
 ORDER BY case_file.seq FOR UPDATE OF case_file

-- name: add_case
INSERT INTO case_file (node, case_id, international_id, revision, content)
VALUES (:node, :case_id, :international_id, :revision, :content)

-- name: update_case
UPDATE case_file SET international_id = :international_id, revision = :revision, content = :content
 WHERE node = :node AND case_id = :case_id

-- name: find_case
SELECT content FROM case_file WHERE node = :node AND case_id = :case_id

-- name: find_case_by_international
SELECT content FROM case_file WHERE node = :node AND international_id = :international_id

-- name: case_seq
SELECT seq FROM case_file WHERE node = :node AND case_id = :case_id

-- name: cases
SELECT content FROM case_file WHERE node = :node AND seq < :before ORDER BY seq DESC LIMIT :limit

-- name: update_document
UPDATE document
   SET sed = :sed, direction = :direction, stored_us = :stored_us, message_id = :message_id, content = :content
 WHERE node = :node AND case_id = :case_id AND document_id = :document_id AND version = :version

-- name: add_document
INSERT INTO document (node, case_id, document_id, version, sed, direction, stored_us, message_id, content)
VALUES (:node, :case_id, :document_id, :version, :sed, :direction, :stored_us, :message_id, :content)
    ON CONFLICT DO NOTHING RETURNING node, case_id, document_id, version

-- name: document
SELECT case_id, document_id, version, sed, direction, stored_us, message_id, content FROM document
 WHERE node = :node AND case_id = :case_id AND document_id = :document_id AND version = :version

-- name: newest_document
SELECT case_id, document_id, version, sed, direction, stored_us, message_id, content FROM document
 WHERE node = :node AND case_id = :case_id AND document_id = :document_id
 ORDER BY version DESC LIMIT 1

-- name: documents
SELECT case_id, document_id, version, sed, direction, stored_us, message_id, ''::bytea FROM document
 WHERE node = :node AND case_id = :case_id ORDER BY seq

-- name: documents_with_content
SELECT case_id, document_id, version, sed, direction, stored_us, message_id, content FROM document
 WHERE node = :node AND case_id = :case_id ORDER BY seq

-- name: add_content
INSERT INTO content (node, digest, octets) VALUES (:node, :digest, :octets) ON CONFLICT DO NOTHING

-- name: spooled
SELECT digest FROM message JOIN message_body USING (seq) WHERE length(body) = 0
UNION SELECT digest FROM content WHERE length(octets) = 0

-- name: content
SELECT octets FROM content WHERE node = :node AND digest = :digest

-- name: add_entry
INSERT INTO journal (node, at_us, step, outcome, message_id, case_id, detail)
VALUES (:node, :at_us, :step, :outcome, :message_id, :case_id, :detail)

-- name: journal
SELECT seq, node, at_us, step, outcome, message_id, case_id, detail FROM journal
 WHERE seq > :after ORDER BY seq LIMIT :limit

-- name: journal_of_node
SELECT seq, node, at_us, step, outcome, message_id, case_id, detail FROM journal
 WHERE node = :node AND seq > :after ORDER BY seq LIMIT :limit

-- name: drop_journal
DELETE FROM journal
 WHERE seq IN (SELECT seq FROM journal WHERE node = :node AND at_us < :until_us ORDER BY seq LIMIT :limit)

-- name: journal_of_reference
SELECT seq, node, at_us, step, outcome, message_id, case_id, detail FROM journal WHERE message_id = :reference
UNION
SELECT seq, node, at_us, step, outcome, message_id, case_id, detail FROM journal WHERE case_id = :reference
 ORDER BY seq

-- name: last_entry
SELECT coalesce(max(seq), 0) FROM journal

-- name: last_entry_of_node
SELECT coalesce(max(seq), 0) FROM journal WHERE node = :node

-- name: nodes_with_entries
-- In steps: who was away for long asks again.
SELECT node, max(seq) FROM (SELECT node, seq FROM journal WHERE seq > :after ORDER BY seq LIMIT 1000) AS newer
 GROUP BY node

-- name: add_tally
INSERT INTO tally (node, direction, kind, state, number) VALUES (:node, :direction, :kind, :state, :number)
    ON CONFLICT (node, direction, kind, state) DO UPDATE SET number = tally.number + excluded.number

-- name: nodes
SELECT DISTINCT node FROM tally WHERE number > 0 ORDER BY node

-- name: tallies
SELECT direction, kind, state, number FROM tally WHERE node = :node AND number > 0
 ORDER BY direction, kind, state
