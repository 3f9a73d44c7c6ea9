"""The embedded database and broker, and the supervised stack of all services on one machine."""
