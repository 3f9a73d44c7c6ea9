"""Rules as data, and the event-time engine that evaluates them."""
