-- The hub's key may be replaced. The keyed hash of a login says under which one it
-- was made; what is sealed says it in its header.
ALTER TABLE helpers ADD COLUMN login_key INTEGER NOT NULL DEFAULT 1 CHECK (login_key > 0);
