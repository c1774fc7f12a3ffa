"""The operator: what becomes of our objects is written into their status.

kopf watches and tells; what is said, and whether it is worth a write, is ours.
"""
