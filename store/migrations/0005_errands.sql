-- What other systems told, and what is to be looked at again there because of it.

CREATE TABLE notice (
    channel TEXT NOT NULL,
    external_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (channel, external_id)
);
CREATE INDEX notice_age ON notice (at);

CREATE TABLE errand (
    channel TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- NULL: nothing is to be done at present.
    due_at BIGINT,
    -- How often it was asked for; what was asked for meanwhile is done again.
    n_asked BIGINT NOT NULL DEFAULT 1,
    n_attempts BIGINT NOT NULL DEFAULT 0,
    memo TEXT,
    lease_token TEXT,
    lease_until BIGINT,
    last_result TEXT,
    PRIMARY KEY (channel, subject)
);
CREATE INDEX errand_due ON errand (due_at) WHERE due_at IS NOT NULL;

-- Calls that may still be made to another system in a stretch of time, by all nodes together.
CREATE TABLE budget (
    name TEXT PRIMARY KEY,
    most BIGINT NOT NULL,
    n_left BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
