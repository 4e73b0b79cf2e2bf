"""Signs what must be traced to us, and checks it."""
