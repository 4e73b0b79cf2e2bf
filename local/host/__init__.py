"""The Functions host on a laptop, around Microsoft's own runtime library for Python."""
