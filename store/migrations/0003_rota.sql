-- To whom of a team a conversation of its queue was given last.

CREATE TABLE rota (
    team TEXT PRIMARY KEY,
    teammate TEXT NOT NULL
);
