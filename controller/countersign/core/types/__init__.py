"""The values that every room shares: small, frozen, and correct by construction."""
