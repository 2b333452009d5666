-- What a request brought about, written with it: whoever asks again finds it although the answer
-- was lost.

ALTER TABLE request ADD COLUMN effect TEXT REFERENCES conversation (id) ON DELETE SET NULL;
