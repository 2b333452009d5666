-- Whom a request opened, written with it: whoever asks again finds the customer although the answer
-- was lost.

ALTER TABLE request ADD COLUMN customer TEXT REFERENCES customer (id) ON DELETE SET NULL;
CREATE INDEX request_customer ON request (customer) WHERE customer IS NOT NULL;
