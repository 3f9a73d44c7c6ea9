-- How far each detector has judged each vehicle; moves in the transaction that stores its findings.
CREATE TABLE detector_state (
    detector text NOT NULL,
    vehicle_id text NOT NULL,
    evaluated_until timestamptz NOT NULL,
    state jsonb NOT NULL,
    PRIMARY KEY (detector, vehicle_id)
);

-- A claim is the same claim when it is made again about the same time, so judging twice stores once.
CREATE TABLE findings (
    finding_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    vehicle_id text NOT NULL,
    component text NOT NULL,
    failure_mode text NOT NULL,
    detector text NOT NULL,
    score double precision NOT NULL,
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    observed_at timestamptz NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    evidence jsonb NOT NULL,
    locations text[] NOT NULL,
    cleared boolean NOT NULL,
    remaining_useful_life jsonb,
    UNIQUE (vehicle_id, detector, failure_mode, observed_at, locations, cleared)
);

CREATE INDEX findings_problem ON findings (vehicle_id, component, failure_mode, observed_at);

CREATE TABLE alerts (
    alert_id uuid PRIMARY KEY,
    vehicle_id text NOT NULL,
    component text NOT NULL,
    failure_mode text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'confirmed', 'dismissed', 'resolved')),
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    score double precision NOT NULL,
    confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    opened_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    finding_count integer NOT NULL,
    latest_finding_id bigint REFERENCES findings,
    locations text[] NOT NULL,
    cleared_at timestamptz,
    remaining_useful_life jsonb
);

CREATE UNIQUE INDEX alerts_one_open ON alerts (vehicle_id, component, failure_mode)
    WHERE status IN ('open', 'confirmed');
CREATE INDEX alerts_latest_finding ON alerts (latest_finding_id);
