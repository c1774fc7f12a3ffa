"""countersign: no AI-assisted change reaches a protected namespace unsigned."""
