-- The files that each folder's rules were last taken over from, all of them right: what every process judges by, and goes
-- on with while newer ones are broken.
CREATE TABLE rule_files (
    folder text PRIMARY KEY,
    digest text NOT NULL,
    files text NOT NULL
);
