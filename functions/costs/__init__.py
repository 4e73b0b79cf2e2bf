"""What the agents' model calls cost."""
