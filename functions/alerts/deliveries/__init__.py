"""How news reaches each destination by itself: leases, budgets, rests, circuits, digests."""
