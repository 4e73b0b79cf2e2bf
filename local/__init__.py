"""Azure on a laptop, for development and tests only; never deployed."""
