-- First schema. Times are whole microseconds since 1970-01-01 UTC.

CREATE TABLE message (
  seq          INTEGER PRIMARY KEY,
  node         TEXT NOT NULL,
  direction    TEXT NOT NULL,
  message_id   TEXT NOT NULL,
  kind         TEXT NOT NULL,
  state        TEXT NOT NULL,
  sender       TEXT NOT NULL,
  receiver     TEXT NOT NULL,
  conversation TEXT NOT NULL,
  content_type TEXT NOT NULL,
  digest       TEXT NOT NULL,
  created_us   INTEGER NOT NULL,
  updated_us   INTEGER NOT NULL,
  ref_to       TEXT,
  endpoint     TEXT,
  channel      TEXT,
  attempts     INTEGER NOT NULL,
  due_us       INTEGER NOT NULL,  -- 0: at once
  leased_us    INTEGER NOT NULL,  -- 0: free
  accepted_us  INTEGER,
  receipted_us INTEGER,
  last_error   TEXT,
  details      TEXT NOT NULL,     -- JSON object of strings
  -- One column that a claim compares with the time, so that one index serves due date and lease.
  ready_us     INTEGER GENERATED ALWAYS AS (max(due_us, leased_us)) VIRTUAL,
  UNIQUE (node, direction, message_id)
);

-- Claims and next_due.
CREATE INDEX message_queue ON message (node, direction, state, ready_us);
CREATE INDEX message_channel ON message (node, direction, channel, state, ready_us) WHERE channel IS NOT NULL;
-- Lists: one range per direction, kind and state, already in the order of seq.
CREATE INDEX message_lane ON message (node, direction, kind, state);
CREATE INDEX message_ref ON message (node, ref_to) WHERE ref_to IS NOT NULL;
CREATE INDEX message_conversation ON message (node, conversation);
-- Leases of a node that starts again.
CREATE INDEX message_lease ON message (node) WHERE leased_us > 0;

-- Apart, because a change of state rewrites its row, and lists do not want the octets.
CREATE TABLE message_body (
  seq  INTEGER PRIMARY KEY,
  body BLOB NOT NULL
);

-- The columns of a stored message, in the order in which the program reads them.
CREATE VIEW stored_message AS
SELECT seq, node, direction, message_id, kind, state, sender, receiver, conversation, content_type, digest,
       created_us, updated_us, ref_to, endpoint, channel, attempts, due_us, leased_us, accepted_us, receipted_us,
       last_error, details
  FROM message;

CREATE TABLE case_file (
  seq              INTEGER PRIMARY KEY,
  node             TEXT NOT NULL,
  case_id          TEXT NOT NULL,
  international_id TEXT NOT NULL,
  revision         INTEGER NOT NULL,
  content          BLOB NOT NULL,
  UNIQUE (node, case_id),
  UNIQUE (node, international_id)
);
CREATE INDEX case_file_node ON case_file (node);

CREATE TABLE document (
  seq         INTEGER PRIMARY KEY,
  node        TEXT NOT NULL,
  case_id     TEXT NOT NULL,
  document_id TEXT NOT NULL,
  version     INTEGER NOT NULL,
  sed         TEXT NOT NULL,
  direction   TEXT NOT NULL,
  stored_us   INTEGER NOT NULL,
  message_id  TEXT,
  content     BLOB NOT NULL,
  UNIQUE (node, case_id, document_id, version)
);

-- AUTOINCREMENT: readers remember the last number they saw, so no number may come twice.
CREATE TABLE journal (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  node       TEXT NOT NULL,
  at_us      INTEGER NOT NULL,
  step       TEXT NOT NULL,
  outcome    TEXT NOT NULL,
  message_id TEXT,
  case_id    TEXT,
  detail     TEXT NOT NULL        -- JSON object of strings
);
CREATE INDEX journal_node ON journal (node);
CREATE INDEX journal_message ON journal (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX journal_case ON journal (case_id) WHERE case_id IS NOT NULL;

-- How many there are of what; kept with every commit, so that nobody ever counts rows.
CREATE TABLE tally (
  node      TEXT NOT NULL,
  direction TEXT NOT NULL,        -- empty for cases and documents
  kind      TEXT NOT NULL,        -- of a message, or "case", "document"
  state     TEXT NOT NULL,        -- empty for cases and documents
  number    INTEGER NOT NULL,
  PRIMARY KEY (node, direction, kind, state)
) WITHOUT ROWID;
