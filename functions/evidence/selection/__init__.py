"""Which traces an export is about: what may be asked, and what it comes to."""
