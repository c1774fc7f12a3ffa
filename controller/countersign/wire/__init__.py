"""Bytes to values and back: admission reviews, statements, bundles, custom resources. Pure."""
