"""How fast the product is, and what that costs: measurements, started with ``vsc bench``."""
