"""Verdicts to words: every sentence a person reads, and every format. Pure."""
