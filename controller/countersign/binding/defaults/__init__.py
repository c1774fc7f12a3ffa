"""The API server's own defaults, one file an API group."""
