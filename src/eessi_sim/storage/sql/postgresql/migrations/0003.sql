-- Large messages and contents lie in pieces under their digest; their octets in the other tables are empty.
-- SQLite keeps them in a folder beside the file; here they are in the database, which several machines share.
CREATE TABLE spool_piece (
  digest TEXT NOT NULL,          -- SHA-256 of all pieces together, hexadecimal
  number BIGINT NOT NULL,        -- from 0 on
  octets BYTEA NOT NULL,         -- at most 1 MB
  sent   TIMESTAMPTZ NOT NULL DEFAULT now(),  -- of number 0: when somebody last wanted to keep it
  PRIMARY KEY (digest, number)
);
ALTER TABLE spool_piece ALTER COLUMN octets SET STORAGE EXTERNAL;

-- A start asks for all of them, to tell what is left over.
CREATE INDEX message_body_spooled ON message_body (seq) WHERE length(body) = 0;
CREATE INDEX content_spooled ON content (digest) WHERE length(octets) = 0;
