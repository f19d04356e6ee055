-- One row a turn, in the order of the log: `place` counts from 0 without a gap. `payload` and `signature` are
-- the receipt as it was signed, `leaf` is what the log holds of it. `sealed` opens its commitments, under a key
-- that is kept nowhere; it is NULL once it was forgotten.
CREATE TABLE receipt (
    place             INTEGER NOT NULL PRIMARY KEY,
    request_id        TEXT    NOT NULL UNIQUE,
    payload           BLOB    NOT NULL,
    signature         BLOB    NOT NULL CHECK (length(signature) = 64),
    leaf_salt         BLOB    NOT NULL CHECK (length(leaf_salt) = 32),
    leaf              BLOB    NOT NULL CHECK (length(leaf) = 73),
    capability_sha256 BLOB    NOT NULL CHECK (length(capability_sha256) = 32),
    sealed            BLOB
) STRICT;
