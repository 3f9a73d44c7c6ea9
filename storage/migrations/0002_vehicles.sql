-- The registry: the only table that holds a VIN.

CREATE TABLE vehicles (
    vehicle_id text PRIMARY KEY,
    registered_at timestamptz NOT NULL,
    vin text UNIQUE,
    model text NOT NULL,
    chemistry text NOT NULL,
    lv_chemistry text CHECK (lv_chemistry IN ('lead_acid', 'li_ion')),
    tyre_reference_kpa real,
    cell_count integer,
    nominal_voltage_v real,
    place text NOT NULL
);
