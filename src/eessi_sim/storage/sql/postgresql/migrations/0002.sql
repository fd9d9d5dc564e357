-- Contents of attachments, each once per node, whatever documents and versions it belongs to.

CREATE TABLE content (
  node   TEXT NOT NULL,
  digest TEXT NOT NULL,          -- SHA-256 of the octets, hexadecimal
  octets BYTEA NOT NULL,
  PRIMARY KEY (node, digest)
);
ALTER TABLE content ALTER COLUMN octets SET STORAGE EXTERNAL;
