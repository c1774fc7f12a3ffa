"""The recorder's ways to others: to spools, to the API server, and ours to a recorder."""
