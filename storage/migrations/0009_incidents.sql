-- What somebody should look into: something happened to the service between two times.
CREATE TABLE incidents (
    incident_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL CHECK (to_at >= from_at),
    details jsonb NOT NULL DEFAULT '{}'
);

-- The MQTT sessions that the broker should be keeping for ingest, one per client id.
CREATE TABLE ingest_sessions (
    client_id text PRIMARY KEY,
    shards integer NOT NULL CHECK (shards > 0),
    heard_at timestamptz NOT NULL
);
