"""What a person reads first: one page without script, and the coverage file."""
