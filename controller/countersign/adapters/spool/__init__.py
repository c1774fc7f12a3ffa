"""The spool: decisions on the replica's own disk until the recorder has them."""
