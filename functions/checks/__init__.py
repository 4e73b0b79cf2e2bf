"""Rules over traces: what they ask, when they run and what they found."""
