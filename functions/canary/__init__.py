"""Whether the watch sees what it judges: a known marker run is sent, and asked for where it has to be."""
