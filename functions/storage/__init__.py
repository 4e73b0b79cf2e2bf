"""Documents, logs and objects that outlive a process."""
