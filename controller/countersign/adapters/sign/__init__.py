"""Signers: statements to bundles, a file a scheme."""
