"""What the fleet looks like: figures, charts and the fleet health report."""
