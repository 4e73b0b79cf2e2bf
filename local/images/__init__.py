"""Makes every picture of the documentation anew: `make images`."""
