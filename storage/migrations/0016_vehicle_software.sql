-- Which software a vehicle has had, and since when; never changed: of entries with the same time the last one made holds.
CREATE TABLE vehicle_software (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    vehicle_id text NOT NULL REFERENCES vehicles,
    since timestamptz NOT NULL,
    version text NOT NULL CHECK (version <> ''),
    entered_at timestamptz NOT NULL
);

CREATE INDEX vehicle_software_vehicle ON vehicle_software (vehicle_id, since, entry_id DESC);
