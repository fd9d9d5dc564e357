-- Large messages and contents lie in the spool beside the file, under their digest; their octets here are empty.
-- A start asks for all of them, to tell what is left over.
CREATE INDEX message_body_spooled ON message_body (seq) WHERE length(body) = 0;
CREATE INDEX content_spooled ON content (digest) WHERE length(octets) = 0;
