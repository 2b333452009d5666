-- The words of messages, for the search. The index takes them from the table, so that it can
-- remove and overwrite them when they are erased; one without a table of its own would only mark
-- them as gone.

CREATE TABLE message_words (
    seq INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    words TEXT NOT NULL
);
CREATE INDEX message_words_conversation ON message_words (conversation);

CREATE VIRTUAL TABLE word_index USING fts5 (
    words, content = 'message_words', content_rowid = 'seq', detail = 'none', columnsize = 0,
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co'"
);
INSERT INTO word_index (word_index, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER message_words_kept AFTER INSERT ON message_words BEGIN
    INSERT INTO word_index (rowid, words) VALUES (new.seq, new.words);
END;
CREATE TRIGGER message_words_erased AFTER DELETE ON message_words BEGIN
    INSERT INTO word_index (word_index, rowid, words) VALUES ('delete', old.seq, old.words);
END;
