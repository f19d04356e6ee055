-- What readers think of answers: a thumb for a turn, which goes with it. It holds nobody's words: `reason` is one of a
-- fixed list. What was decided, and who spoke, stands in the turn's answer.
CREATE TABLE feedback (
    turn   INTEGER NOT NULL PRIMARY KEY REFERENCES turn ON DELETE CASCADE,
    up     INTEGER NOT NULL CHECK (up IN (0, 1)),
    reason TEXT
) STRICT;
