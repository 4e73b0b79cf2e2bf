"""Checks a bundle with nothing but the bundle, a public key and a ledger."""
