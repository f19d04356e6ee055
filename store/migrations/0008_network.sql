-- From which network a session's first conversation was begun, so that whoever throws cookies away is counted once
-- among readers: its digest under a key of this database. Sessions from before have none.
CREATE TABLE network_key (
    secret BLOB NOT NULL CHECK (length(secret) = 32)
) STRICT;

INSERT INTO network_key (secret) VALUES (randomblob(32));

ALTER TABLE session ADD COLUMN network BLOB CHECK (length(network) = 32);
