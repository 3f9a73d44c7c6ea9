-- The last service, or the delivery where there was none: what the next one counts from.
ALTER TABLE vehicles ADD COLUMN serviced_at timestamptz;
ALTER TABLE vehicles ADD COLUMN serviced_km double precision CHECK (serviced_km >= 0);
