-- 0008: passkeys, the ceremonies that make and use them, and who people are at OpenID Connect providers.
CREATE TABLE passkeys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    credential BYTEA NOT NULL UNIQUE, -- the id that the device gave it
    public_key BYTEA NOT NULL, -- with what else never changes
    state BYTEA NOT NULL, -- the counter, and what else a use may change
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT -- NULL = not yet
);
CREATE INDEX passkeys_by_user ON passkeys (user_id);

-- A ceremony is here until it is used.
CREATE TABLE ceremonies (
    digest BYTEA NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C", -- who adds a passkey; NULL = somebody signs in
    state BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX ceremonies_by_end ON ceremonies (expires_at); -- to remove those that are over

CREATE TABLE identities (
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_by_user ON identities (user_id);
