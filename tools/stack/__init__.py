"""A whole countersign on this machine: control plane, Sigstore, people, webhook, demo."""
