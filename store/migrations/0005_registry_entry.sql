-- The registry log: every change of the fleet, in the order in which they were made and without a gap, and
-- the cards and policies that its entries name by their SHA-256. Neither is ever changed or removed.
CREATE TABLE registry_entry (
    place INTEGER NOT NULL PRIMARY KEY CHECK (place >= 0),
    entry BLOB    NOT NULL
) STRICT;

CREATE TABLE registry_content (
    sha256  BLOB NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    content BLOB NOT NULL
) STRICT;

-- The card's signature; NULL where its card has no key.
ALTER TABLE registration ADD COLUMN signature BLOB CHECK (length(signature) = 64);
