"""Where messages are posted."""
