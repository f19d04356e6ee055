-- One row a registered specialist. Card and prototypes are the exact bytes that were admitted:
-- the database keeps them and never looks inside, and one transaction keeps them together.
CREATE TABLE registration (
    specialist_id    TEXT    NOT NULL PRIMARY KEY,
    endpoint         TEXT    NOT NULL,
    enabled          INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    card             BLOB    NOT NULL,
    prototype_origin TEXT    NOT NULL CHECK (prototype_origin IN ('specialist', 'router')),
    prototypes       BLOB    NOT NULL,
    registered_at_ms INTEGER NOT NULL,
    updated_at_ms    INTEGER NOT NULL
) STRICT;
