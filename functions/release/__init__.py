"""What a person or a pipeline asks about a release and its surroundings; for the command line only."""
