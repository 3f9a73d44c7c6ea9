-- What is kept quiet: of which cars and detectors, from when to when, by whom and why; never changed. Times are those of
-- the stack's clock, and hold against event times, half open.
CREATE TABLE silences (
    silence_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('silence', 'suppression', 'workshop')),
    vehicle_id text,
    model text,
    detector text,
    component text,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    author text NOT NULL CHECK (author <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    created_at timestamptz NOT NULL,
    CHECK (num_nonnulls(vehicle_id, model) <= 1),
    CHECK (num_nonnulls(detector, component) <= 1),
    CHECK ((kind = 'silence') = (vehicle_id IS NULL)),
    CHECK (kind <> 'workshop' OR num_nonnulls(detector, component) = 0)
);

CREATE INDEX silences_vehicle ON silences (vehicle_id);

-- That one has ended before its time; of a workshop also, at any time and again, what it has seen to.
CREATE TABLE silence_lifts (
    lift_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    silence_id bigint NOT NULL REFERENCES silences ON DELETE CASCADE,
    at timestamptz NOT NULL,
    author text NOT NULL CHECK (author <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    seen_to text[] NOT NULL
);

CREATE INDEX silence_lifts_silence ON silence_lifts (silence_id);

-- Findings that no alert has told of, the entry because of which, and what became of them when it ended.
CREATE TABLE held_findings (
    finding_id bigint PRIMARY KEY REFERENCES findings ON DELETE CASCADE,
    silence_id bigint NOT NULL REFERENCES silences ON DELETE CASCADE,
    outcome text CHECK (outcome IN ('raised', 'ended')),
    settled_at timestamptz,
    CHECK ((outcome IS NULL) = (settled_at IS NULL))
);

CREATE INDEX held_findings_silence ON held_findings (silence_id);
CREATE INDEX held_findings_waiting ON held_findings (finding_id) WHERE outcome IS NULL;
