CREATE TABLE IF NOT EXISTS appointment (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    external_ref TEXT NOT NULL,
    vehicle_id   TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('booked', 'cancelled')),
    place_id     TEXT NOT NULL,
    resources    TEXT NOT NULL,   -- JSON list of resource ids
    start_at     TEXT NOT NULL,   -- all times: ISO 8601, UTC, microseconds, so that text order is time order
    end_at       TEXT NOT NULL,
    request      TEXT NOT NULL,   -- the latest accepted request, JSON
    created_at   TEXT NOT NULL,
    changed_at   TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS appointment_one_active ON appointment (external_ref) WHERE status = 'booked';
CREATE INDEX IF NOT EXISTS appointment_by_ref ON appointment (external_ref, number);
CREATE INDEX IF NOT EXISTS appointment_by_vehicle ON appointment (vehicle_id, number);
CREATE INDEX IF NOT EXISTS appointment_by_start ON appointment (start_at);

-- A resource does one thing at a time: the primary key is what makes double booking impossible.
CREATE TABLE IF NOT EXISTS claim (
    resource_id TEXT NOT NULL,
    tick        INTEGER NOT NULL, -- quarters of an hour since the epoch
    appointment INTEGER NOT NULL REFERENCES appointment (number),
    PRIMARY KEY (resource_id, tick)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS claim_by_tick ON claim (tick);
CREATE INDEX IF NOT EXISTS claim_by_appointment ON claim (appointment);

-- What was answered under an idempotency key, so that a repeated request gets the same answer.
CREATE TABLE IF NOT EXISTS answer (
    key         TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status      INTEGER NOT NULL,
    body        TEXT NOT NULL,
    kept_at     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
