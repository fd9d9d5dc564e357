-- Every statement of the SQLite back end, by name. Parameters are named like the columns.

-- name: add_message
INSERT INTO message
       (node, direction, message_id, kind, state, sender, receiver, conversation, content_type, digest,
        created_us, updated_us, ref_to, endpoint, channel, attempts, due_us, leased_us, accepted_us,
        receipted_us, last_error, details)
VALUES (:node, :direction, :message_id, :kind, :state, :sender, :receiver, :conversation, :content_type, :digest,
        :created_us, :updated_us, :ref_to, :endpoint, :channel, :attempts, :due_us, :leased_us, :accepted_us,
        :receipted_us, :last_error, :details)

-- name: put_body
INSERT OR REPLACE INTO message_body (seq, body) VALUES (:seq, :body)

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
UPDATE message SET leased_to = :worker WHERE seq = :seq

-- name: find_message
SELECT * FROM stored_message WHERE node = :node AND direction = :direction AND message_id = :message_id

-- name: message_to_change
SELECT * FROM stored_message WHERE node = :node AND direction = :direction AND message_id = :message_id

-- name: message_body
SELECT body FROM message_body WHERE seq = :seq

-- name: due_messages
SELECT ready_us, seq FROM message
 WHERE node = :node AND direction = :direction AND state = :state AND ready_us <= :now_us
 ORDER BY ready_us, seq LIMIT :limit

-- name: due_messages_of_channel
SELECT ready_us, seq FROM message
 WHERE node = :node AND direction = :direction AND channel = :channel AND state = :state AND ready_us <= :now_us
 ORDER BY ready_us, seq LIMIT :limit

-- name: message_by_seq
SELECT * FROM stored_message WHERE seq = :seq

-- name: next_due
SELECT ready_us FROM message
 WHERE node = :node AND direction = :direction AND state = :state
 ORDER BY ready_us LIMIT 1

-- name: messages_of_lane
SELECT * FROM stored_message
 WHERE node = :node AND direction = :direction AND kind = :kind AND state = :state AND seq < :before
 ORDER BY seq DESC LIMIT :limit

-- name: oldest
SELECT seq, created_us FROM message
 WHERE node = :node AND direction = :direction AND kind = :kind AND state = :state
 ORDER BY seq LIMIT 1

-- name: messages_by_ref
SELECT * FROM stored_message WHERE node = :node AND ref_to = :reference AND seq < :before ORDER BY seq DESC

-- name: messages_by_conversation
SELECT * FROM stored_message WHERE node = :node AND conversation = :reference AND seq < :before ORDER BY seq DESC

-- name: case_revision
SELECT revision FROM case_file WHERE node = :node AND case_id = :case_id

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

-- name: document
SELECT case_id, document_id, version, sed, direction, stored_us, message_id, content FROM document
 WHERE node = :node AND case_id = :case_id AND document_id = :document_id AND version = :version

-- name: newest_document
SELECT case_id, document_id, version, sed, direction, stored_us, message_id, content FROM document
 WHERE node = :node AND case_id = :case_id AND document_id = :document_id
 ORDER BY version DESC LIMIT 1

-- name: documents
SELECT case_id, document_id, version, sed, direction, stored_us, message_id, x'' FROM document
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
SELECT ifnull(max(seq), 0) FROM journal

-- name: last_entry_of_node
SELECT ifnull(max(seq), 0) FROM journal WHERE node = :node

-- name: nodes_with_entries
SELECT DISTINCT node FROM journal NOT INDEXED WHERE seq > :after

-- name: add_tally
INSERT INTO tally (node, direction, kind, state, number) VALUES (:node, :direction, :kind, :state, :number)
    ON CONFLICT (node, direction, kind, state) DO UPDATE SET number = number + excluded.number

-- name: nodes
SELECT DISTINCT node FROM tally WHERE number > 0 ORDER BY node

-- name: tallies
SELECT direction, kind, state, number FROM tally WHERE node = :node AND number > 0
 ORDER BY direction, kind, state
