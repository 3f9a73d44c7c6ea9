"""Settings, the stack's clock and logging; the only reader of the environment."""
