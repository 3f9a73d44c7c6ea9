"""The event-time engine: expressions over many cars' series at once, and what a rule remembers of each car."""
