-- A mandate whose notice came while its author's clock was known to be wrong waits
-- until that clock is right.
ALTER TABLE notices ADD COLUMN undated INTEGER NOT NULL DEFAULT 0 CHECK (undated IN (0, 1));
