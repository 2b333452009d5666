-- Times are microseconds since 1970 in UTC, ids UUIDs of version 7 as text, truth is 0 or 1.
-- This text serves SQLite and PostgreSQL alike.

CREATE TABLE account (
    teammate TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    away BIGINT NOT NULL DEFAULT 0,
    seen_at BIGINT,
    disabled BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

CREATE TABLE session (
    token_hash TEXT PRIMARY KEY,
    teammate TEXT NOT NULL REFERENCES account (teammate) ON DELETE CASCADE,
    csrf TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_teammate ON session (teammate);
CREATE INDEX session_end ON session (expires_at);

CREATE TABLE api_token (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX api_token_name ON api_token (name) WHERE revoked_at IS NULL;

CREATE TABLE request (
    token TEXT NOT NULL REFERENCES api_token (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status BIGINT,
    body TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (token, key)
);
CREATE INDEX request_age ON request (created_at);

CREATE TABLE customer (
    id TEXT PRIMARY KEY,
    realm TEXT,
    external_id TEXT,
    name TEXT,
    email TEXT,
    locale TEXT,
    attributes TEXT NOT NULL,
    -- Name, address and external id in lower case, for the list's search.
    look_up TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX customer_identity ON customer (realm, external_id) WHERE realm IS NOT NULL;

CREATE TABLE visit (
    token_hash TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    verified BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX visit_customer ON visit (customer);
CREATE INDEX visit_end ON visit (expires_at);

CREATE TABLE conversation (
    id TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    external_id TEXT,
    customer TEXT NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    status TEXT NOT NULL DEFAULT 'open',
    -- NULL: the bot has it.
    owner_team TEXT,
    owner_teammate TEXT,
    owner_by_person BIGINT NOT NULL DEFAULT 0,
    episode BIGINT NOT NULL DEFAULT 1,
    -- What was done in the episode, as JSON.
    progress TEXT NOT NULL DEFAULT '{}',
    n_entries BIGINT NOT NULL DEFAULT 0,
    n_posts BIGINT NOT NULL DEFAULT 0,
    priority TEXT NOT NULL DEFAULT 'normal',
    sla TEXT,
    tags TEXT NOT NULL DEFAULT '[]',
    attributes TEXT NOT NULL DEFAULT '{}',
    topic TEXT,
    language TEXT,
    page TEXT,
    preview TEXT NOT NULL DEFAULT '',
    waiting_since BIGINT,
    queued_at BIGINT,
    clock TEXT,
    due_first_reply BIGINT,
    due_next_reply BIGINT,
    due_resolution BIGINT,
    -- The order of queues: the promise that falls due first (the largest number without one),
    -- then 0 for urgent to 3 for low, then the arrival.
    next_due BIGINT NOT NULL DEFAULT 9223372036854775807,
    urgency BIGINT NOT NULL DEFAULT 2,
    arrived_at BIGINT NOT NULL,
    snoozed_until BIGINT,
    turn_due_at BIGINT,
    lease_token TEXT,
    lease_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX conversation_named ON conversation (channel, external_id)
    WHERE external_id IS NOT NULL;
CREATE INDEX conversation_customer ON conversation (customer);
CREATE INDEX conversation_changed ON conversation (updated_at, id);
CREATE INDEX conversation_turn ON conversation (turn_due_at, id) WHERE turn_due_at IS NOT NULL;
CREATE INDEX conversation_queue ON conversation (owner_team, next_due, urgency, arrived_at, id)
    WHERE status = 'open' AND owner_team IS NOT NULL;
CREATE INDEX conversation_held ON conversation (owner_teammate, next_due, urgency, arrived_at, id)
    WHERE status = 'open' AND owner_teammate IS NOT NULL;
CREATE INDEX conversation_waiting ON conversation (waiting_since)
    WHERE status = 'open' AND owner_team IS NOT NULL AND waiting_since IS NOT NULL;
CREATE INDEX conversation_resting ON conversation (snoozed_until) WHERE status = 'snoozed';
CREATE INDEX conversation_bot ON conversation (created_at)
    WHERE status = 'open' AND owner_team IS NULL;

CREATE TABLE ledger (
    channel TEXT NOT NULL,
    external_id TEXT NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (channel, external_id)
);
CREATE INDEX ledger_conversation ON ledger (conversation);

CREATE TABLE entry (
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    id TEXT NOT NULL,
    episode BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    client_id TEXT,
    content TEXT NOT NULL,
    PRIMARY KEY (conversation, number)
);
CREATE UNIQUE INDEX entry_client ON entry (conversation, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE decision (
    id TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    episode BIGINT NOT NULL,
    about BIGINT NOT NULL,
    at BIGINT NOT NULL,
    act TEXT NOT NULL,
    team TEXT,
    topic TEXT,
    confidence DOUBLE PRECISION NOT NULL,
    draft TEXT,
    sources TEXT NOT NULL,
    reasons TEXT NOT NULL,
    trace TEXT NOT NULL,
    took_ms DOUBLE PRECISION NOT NULL
);
CREATE INDEX decision_conversation ON decision (conversation, id);

CREATE TABLE label (
    decision TEXT PRIMARY KEY REFERENCES decision (id) ON DELETE CASCADE,
    teammate TEXT NOT NULL,
    verdict TEXT NOT NULL,
    sent TEXT,
    at BIGINT NOT NULL
);

CREATE TABLE post (
    id TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    destination TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    n_attempts BIGINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'pending',
    -- 1: the first pending one of its conversation and destination, so its turn is now.
    head BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    at BIGINT NOT NULL,
    last_result TEXT
);
CREATE UNIQUE INDEX post_line ON post (conversation, number);
CREATE INDEX post_due ON post (at) WHERE head = 1;
CREATE INDEX post_pending ON post (created_at) WHERE state = 'pending';
CREATE INDEX post_destination ON post (destination, id);

CREATE TABLE timer (
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    episode BIGINT NOT NULL,
    key TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    action TEXT NOT NULL,
    fired BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation, episode, key)
);
CREATE INDEX timer_due ON timer (due_at) WHERE fired = 0;

CREATE TABLE outcome (
    conversation TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
    episode BIGINT NOT NULL,
    kind TEXT NOT NULL,
    rating BIGINT,
    comment TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (conversation, episode, kind)
);

CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    -- The conversation that it happened in; no reference, as the deed outlives an erasure.
    conversation TEXT
);
CREATE INDEX audit_subject ON audit (subject, id);
CREATE INDEX audit_conversation ON audit (conversation) WHERE conversation IS NOT NULL;
