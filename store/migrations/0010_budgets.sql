-- The rule by whose error budget a draft was sent, or would have been, and the budget.

ALTER TABLE decision ADD COLUMN budget_rule TEXT;
ALTER TABLE decision ADD COLUMN error_budget DOUBLE PRECISION;
CREATE INDEX decision_budget ON decision (budget_rule, at) WHERE budget_rule IS NOT NULL;

-- Error budgets that are watched, from when on, and thresholds that were raised as they burnt.
CREATE TABLE watched_budget (
    rule TEXT NOT NULL,
    -- A topic that stands alone; empty for all others.
    topic TEXT NOT NULL,
    since BIGINT NOT NULL,
    -- NULL: it was not raised, or people have lifted it.
    threshold DOUBLE PRECISION,
    n_raised BIGINT NOT NULL DEFAULT 0,
    -- What it was raised by.
    n_answers BIGINT NOT NULL DEFAULT 0,
    n_wrong BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (rule, topic)
);
