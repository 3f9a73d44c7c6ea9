-- What drives a car, and what a combustion engine says of itself.
ALTER TABLE telemetry ADD COLUMN engine_coolant_temp_c real;
ALTER TABLE telemetry ADD COLUMN engine_speed_rpm real;

ALTER TABLE vehicles ADD COLUMN powertrain text CHECK (powertrain IN ('combustion', 'hybrid', 'electric'));

-- Cars that were registered with a traction battery: a hybrid could not be told until now.
UPDATE vehicles SET powertrain = 'electric'
WHERE chemistry <> '' OR cell_count IS NOT NULL OR nominal_voltage_v IS NOT NULL;
