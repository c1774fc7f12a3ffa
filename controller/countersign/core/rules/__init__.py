"""One rule a file; `decide` puts them together."""
