"""The fleet's database."""

from tests.support.fleet_database import fleet_url, own_fleet_url

__all__ = ["fleet_url", "own_fleet_url"]
