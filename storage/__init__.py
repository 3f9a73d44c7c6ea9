"""Our SQL: numbered migrations and one module per table."""
