-- Several processes may play one node: a lease belongs to the one that claimed, so that a start ends only its own.
ALTER TABLE message ADD COLUMN leased_to TEXT NOT NULL DEFAULT '';
