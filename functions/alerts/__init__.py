"""What happens to a finding until a person has heard of it."""
