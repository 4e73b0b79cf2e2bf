"""One trace at once, how to find it, and why it is not there."""
