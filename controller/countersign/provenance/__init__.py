"""Marks to claims: what commits say about who and what made them. Pure."""
