"""A seeded fleet with faults and their truth, and recorded drives."""
