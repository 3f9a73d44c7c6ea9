"""What can be computed from samples: rests, trips, charges, daily figures."""
