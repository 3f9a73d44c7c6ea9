-- Until when the booking system is left alone, because it asked for that or failed again and again; one row at most.
CREATE TABLE booking_rest (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    until timestamptz NOT NULL
);
