-- Conversations of people at the page. A session is whoever holds a cookie with this SHA-256; its row comes with its
-- first conversation and goes with its last one, and everything else goes with what it belongs to.
CREATE TABLE session (
    place         INTEGER NOT NULL PRIMARY KEY,
    cookie_sha256 BLOB    NOT NULL UNIQUE CHECK (length(cookie_sha256) = 32)
) STRICT;

-- `title` is empty until something was asked, `folder` where there is none. `share_token` is what a shared link
-- holds, as it is: whoever could read it here could read the conversation beside it, and its owner sees it again.
CREATE TABLE conversation (
    place         INTEGER NOT NULL PRIMARY KEY,
    id            TEXT    NOT NULL UNIQUE,
    session       INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    title         TEXT    NOT NULL,
    folder        TEXT    NOT NULL,
    pinned        INTEGER NOT NULL CHECK (pinned IN (0, 1)),
    share_token   TEXT    UNIQUE,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX conversation_session ON conversation (session);
CREATE INDEX conversation_updated ON conversation (updated_at_ms);

-- Conversations with the SHA-256 of their owner's cookie.
CREATE VIEW owned AS
    SELECT conversation.*, session.cookie_sha256 AS owner
    FROM conversation JOIN session ON session.place = conversation.session;

-- One row a question, with its answer as JSON once it has ended. Turns with one parent are versions of each other.
-- `id` is the request's, by which its receipt is found.
CREATE TABLE turn (
    place         INTEGER NOT NULL PRIMARY KEY,
    id            TEXT    NOT NULL UNIQUE,
    conversation  INTEGER NOT NULL REFERENCES conversation ON DELETE CASCADE,
    parent        INTEGER REFERENCES turn ON DELETE CASCADE,
    question      TEXT    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('running', 'done', 'stopped', 'failed')),
    answer        TEXT    CHECK (json_valid(answer)),
    error         TEXT    CHECK (json_valid(error)),
    said          TEXT    GENERATED ALWAYS AS (json_extract(answer, '$.choices[0].message.content')) VIRTUAL
) STRICT;

CREATE INDEX turn_conversation ON turn (conversation);
CREATE INDEX turn_parent ON turn (parent);
CREATE INDEX turn_running ON turn (state) WHERE state = 'running';

-- The indexes for search hold no copy of the text, but its words: what is deleted is taken out of them at once, not
-- only marked as deleted.
CREATE VIRTUAL TABLE turn_words USING fts5(
    question, said, content = 'turn', content_rowid = 'place', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO turn_words (turn_words, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER turn_added AFTER INSERT ON turn BEGIN
    INSERT INTO turn_words (rowid, question, said) VALUES (new.place, new.question, new.said);
END;

CREATE TRIGGER turn_removed AFTER DELETE ON turn BEGIN
    INSERT INTO turn_words (turn_words, rowid, question, said)
        VALUES ('delete', old.place, old.question, old.said);
END;

CREATE TRIGGER turn_changed AFTER UPDATE OF question, answer ON turn BEGIN
    INSERT INTO turn_words (turn_words, rowid, question, said)
        VALUES ('delete', old.place, old.question, old.said);
    INSERT INTO turn_words (rowid, question, said) VALUES (new.place, new.question, new.said);
END;

CREATE VIRTUAL TABLE title_words USING fts5(
    title, content = 'conversation', content_rowid = 'place', tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO title_words (title_words, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER conversation_added AFTER INSERT ON conversation BEGIN
    INSERT INTO title_words (rowid, title) VALUES (new.place, new.title);
END;

CREATE TRIGGER conversation_removed AFTER DELETE ON conversation BEGIN
    INSERT INTO title_words (title_words, rowid, title) VALUES ('delete', old.place, old.title);
END;

CREATE TRIGGER conversation_renamed AFTER UPDATE OF title ON conversation BEGIN
    INSERT INTO title_words (title_words, rowid, title) VALUES ('delete', old.place, old.title);
    INSERT INTO title_words (rowid, title) VALUES (new.place, new.title);
END;
