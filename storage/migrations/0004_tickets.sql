CREATE TABLE visits (
    visit_id uuid PRIMARY KEY,
    vehicle_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('planned', 'booked', 'in_progress', 'done', 'cancelled')),
    channel text NOT NULL CHECK (channel IN ('remote', 'mobile', 'service_centre', 'tow')),
    due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX visits_one_open ON visits (vehicle_id) WHERE state IN ('planned', 'booked');

CREATE TABLE tickets (
    ticket_id uuid PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
    visit_id uuid NOT NULL REFERENCES visits ON DELETE CASCADE,
    vehicle_id text NOT NULL,
    component text NOT NULL,
    failure_mode text NOT NULL,
    severity smallint NOT NULL CHECK (severity BETWEEN 1 AND 4),
    title text NOT NULL,
    action text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('remote', 'mobile', 'service_centre', 'tow')),
    parts text[] NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'booked', 'in_progress', 'done', 'cancelled')),
    created_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX tickets_one_open ON tickets (vehicle_id, component, failure_mode)
    WHERE state IN ('open', 'booked', 'in_progress');
CREATE INDEX tickets_visit ON tickets (visit_id);
CREATE INDEX tickets_alert ON tickets (alert_id);

-- Every step of every ticket, never changed.
CREATE TABLE ticket_transitions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id uuid NOT NULL REFERENCES tickets ON DELETE CASCADE,
    at timestamptz NOT NULL,
    before text,
    after text NOT NULL,
    reason text NOT NULL
);

CREATE INDEX ticket_transitions_ticket ON ticket_transitions (ticket_id);

CREATE TABLE appointments (
    visit_id uuid PRIMARY KEY REFERENCES visits ON DELETE CASCADE,
    external_ref text NOT NULL,
    place text NOT NULL,
    technician text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    booked_at timestamptz NOT NULL,
    revision integer NOT NULL CHECK (revision > 0)
);

-- Messages to the booking system, written in the transaction that makes them due. message_id is the
-- idempotency key of every attempt; position is the order in which a visit's messages must arrive.
CREATE TABLE booking_outbox (
    message_id uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    visit_id uuid NOT NULL REFERENCES visits ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('create', 'update', 'cancel')),
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts integer NOT NULL,
    leased_until timestamptz,
    last_status integer,
    last_error text NOT NULL
);

CREATE INDEX booking_outbox_pending ON booking_outbox (next_attempt_at) WHERE state = 'pending';
CREATE UNIQUE INDEX booking_outbox_order ON booking_outbox (visit_id, position);
