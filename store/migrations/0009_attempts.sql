-- What each attempt to tell a webhook met; a post itself keeps the last result alone.

CREATE TABLE attempt (
    post TEXT NOT NULL REFERENCES post (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- NULL: nothing is known of it, it may still be under way.
    result TEXT,
    PRIMARY KEY (post, number)
);
