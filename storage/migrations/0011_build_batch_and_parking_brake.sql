-- Whether the parking brake holds, beside how often it had to try again.
ALTER TABLE telemetry ADD COLUMN parking_brake_engaged boolean;

-- The build batch: cars of one share suppliers, and their faults.
ALTER TABLE vehicles ADD COLUMN build_batch text NOT NULL DEFAULT '';
