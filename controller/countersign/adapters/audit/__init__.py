"""The audit store: decisions, on whose word they rest, and what explains them."""
