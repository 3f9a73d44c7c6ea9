-- Whether the parking brake holds, beside how often it had to try again.
ALTER TABLE telemetry ADD COLUMN parking_brake_engaged boolean;
