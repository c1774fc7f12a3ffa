"""Registries: evidence that lies beside images, read and written."""
