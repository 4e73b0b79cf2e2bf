"""Who asks, what they may see, and the record of both."""
