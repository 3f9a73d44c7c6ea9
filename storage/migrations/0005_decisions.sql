-- What persons have decided about alerts, never changed.
CREATE TABLE alert_decisions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
    at timestamptz NOT NULL,
    author text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('confirm', 'dismiss')),
    reason text NOT NULL
);

CREATE INDEX alert_decisions_alert ON alert_decisions (alert_id);
