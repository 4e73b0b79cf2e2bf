"""A site's own config files, pushed into storage: in force, or refused with the last good ones kept."""
