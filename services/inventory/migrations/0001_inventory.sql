-- One row an object of a provider; the revision and the dirty mark are written in the same transaction as the row.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE provider (
    uid       TEXT PRIMARY KEY,
    type      TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    resource  TEXT NOT NULL,             -- the Provider resource as last seen
    listing   INTEGER NOT NULL DEFAULT 0, -- number of the newest full listing that was begun
    synced    INTEGER NOT NULL DEFAULT 0, -- 1 once a full listing was completed
    n         INTEGER NOT NULL DEFAULT 0, -- revision of the state
    state     TEXT                        -- provider.state.v1
) STRICT;

CREATE TABLE object (
    provider   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    path       TEXT NOT NULL,
    parent     TEXT NOT NULL,
    document   TEXT NOT NULL,  -- what raises a revision
    volatile   TEXT NOT NULL,  -- what doesn't
    projection TEXT,           -- what other objects show of it
    n          INTEGER NOT NULL,
    seen       INTEGER NOT NULL, -- the listing it was last seen in
    PRIMARY KEY (provider, kind, id)
) STRICT;
CREATE INDEX object_by_name ON object (provider, kind, name, id);

-- Which object shows the projection of which other: a VM its host, a host its cluster.
CREATE TABLE shows (
    provider   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    shown_kind TEXT NOT NULL,
    shown_id   TEXT NOT NULL,
    PRIMARY KEY (provider, kind, id, shown_kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX shows_back ON shows (provider, shown_kind, shown_id);

-- Which VMs have which disk file: a file of several VMs is shared.
CREATE TABLE disk_file (
    provider TEXT NOT NULL,
    file     TEXT NOT NULL,
    vm       TEXT NOT NULL,
    PRIMARY KEY (provider, file, vm)
) STRICT, WITHOUT ROWID;
CREATE INDEX disk_file_by_vm ON disk_file (provider, vm);

-- What the bus doesn't know yet; newest wins, the row is read when it is sent.
CREATE TABLE dirty (
    provider TEXT NOT NULL,
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL,
    n        INTEGER NOT NULL,
    removed  INTEGER NOT NULL,
    blocked  INTEGER NOT NULL DEFAULT 0, -- can't be sent as it is; tried again with the next change or start
    PRIMARY KEY (provider, kind, id)
) STRICT, WITHOUT ROWID;

-- The last revision of a removed object, so that one that comes back goes on counting.
CREATE TABLE grave (
    provider TEXT NOT NULL,
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL,
    n        INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (provider, kind, id)
) STRICT, WITHOUT ROWID;
