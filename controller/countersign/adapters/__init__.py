"""Ports made real, one library each."""
