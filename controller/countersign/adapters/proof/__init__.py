"""Provers: bundles to evidence, a file a scheme."""
