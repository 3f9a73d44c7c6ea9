"""The web pages and the API for diagnostics engineers."""
