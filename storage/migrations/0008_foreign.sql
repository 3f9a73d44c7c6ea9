-- Cars that speak a maker's protocol instead of ours. Tesla's are found by their VIN, OVMS modules by user and vehicle.
ALTER TABLE vehicles ADD COLUMN ovms text UNIQUE;

-- True: the sender gave no time, so this is when it arrived. NULL: the sender's own time.
ALTER TABLE telemetry ADD COLUMN time_received boolean;
ALTER TABLE events ADD COLUMN time_received boolean;
-- The same of sent_at: it tells when the car was last heard, but moves nobody's clock.
ALTER TABLE batch_ledger ADD COLUMN time_received boolean;

-- Makes the hash that stands for an unknown car in the topics of quarantine; never leaves the database.
CREATE TABLE pseudonym_secret (secret bytea NOT NULL CHECK (length(secret) = 32));

INSERT INTO pseudonym_secret
    SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
