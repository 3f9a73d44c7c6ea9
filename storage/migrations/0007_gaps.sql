-- Batches that are missing for a while: what is stored behind them proves that they were sampled. Ingest keeps this up
-- to date for the cars it hears; what has come, or was given up by its car, leaves.
CREATE TABLE sequence_gaps (
    vehicle_id text NOT NULL,
    boot text NOT NULL,
    first_seq bigint NOT NULL CHECK (first_seq > 0),
    last_seq bigint NOT NULL CHECK (last_seq >= first_seq),
    since timestamptz NOT NULL,
    asked integer NOT NULL DEFAULT 0,
    asked_at timestamptz,
    PRIMARY KEY (vehicle_id, boot, first_seq)
);

-- Up to where the ledger of a long boot is known to be without a gap, so that nobody reads all of it again. Written now
-- and then, so it says less than there is, never more.
CREATE TABLE boot_progress (
    vehicle_id text NOT NULL,
    boot text NOT NULL,
    through bigint NOT NULL CHECK (through > 0),
    PRIMARY KEY (vehicle_id, boot)
);
