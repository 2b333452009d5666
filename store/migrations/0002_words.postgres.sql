-- The words of messages, for the search.

CREATE TABLE message_words (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    words TSVECTOR NOT NULL
);
CREATE INDEX message_words_conversation ON message_words (conversation);
CREATE INDEX message_words_index ON message_words USING gin (words);
