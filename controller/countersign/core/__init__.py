"""The law: values, rules and the decision. Standard library only; no I/O, no clock."""
