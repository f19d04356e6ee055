-- Cards and prototypes that a registration had before, by their SHA-256: so that a decision can be derived
-- again after the fleet has changed. A row is never changed; the oldest go first.
CREATE TABLE past (
    place   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    sha256  BLOB    NOT NULL UNIQUE CHECK (length(sha256) = 32),
    content BLOB    NOT NULL
) STRICT;
