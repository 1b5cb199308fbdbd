"""Executors, which run trials. Five verbs, one conformance suite, and the same results for the same seeds from each."""
