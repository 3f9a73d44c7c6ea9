"""Alerts, triage, service tickets, visits and the booking adapters."""
