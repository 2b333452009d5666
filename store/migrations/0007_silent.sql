-- Whether a decision settled what the customer had written without a word to them, as when they let
-- it rest. What they write then is not read together with it.

ALTER TABLE decision ADD COLUMN silent BIGINT NOT NULL DEFAULT 0;
