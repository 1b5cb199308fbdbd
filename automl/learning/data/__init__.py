"""Sources, the catalogue of datasets, column kinds, guardrails, the fingerprint: all that makes a `Table`."""
