"""MQTT to TimescaleDB, losing nothing and storing nothing twice."""
