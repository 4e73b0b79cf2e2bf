"""What a trace is and where it comes from."""
