"""Trusted roots as they are published: TUF, its client, and what they hold."""
