-- What a decision rests on, as JSON: enough to take it again, and to judge it later.

ALTER TABLE decision ADD COLUMN basis TEXT;
