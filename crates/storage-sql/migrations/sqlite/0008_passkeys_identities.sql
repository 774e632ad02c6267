-- 0008: passkeys, the ceremonies that make and use them, and who people are at OpenID Connect providers.
CREATE TABLE passkeys (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    credential BLOB NOT NULL UNIQUE, -- the id that the device gave it
    public_key BLOB NOT NULL, -- with what else never changes
    state BLOB NOT NULL, -- the counter, and what else a use may change
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER -- NULL = not yet
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_by_user ON passkeys (user_id);

-- A ceremony is here until it is used.
CREATE TABLE ceremonies (
    digest BLOB NOT NULL PRIMARY KEY,
    user_id TEXT, -- who adds a passkey; NULL = somebody signs in
    state BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ceremonies_by_end ON ceremonies (expires_at); -- to remove those that are over

CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_user ON identities (user_id);
