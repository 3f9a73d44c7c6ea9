"""Jobs over the whole fleet, and the Prefect schedule that runs them."""
