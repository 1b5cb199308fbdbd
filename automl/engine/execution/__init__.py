"""Where trials run. Five verbs, one conformance suite, and every executor gives the same results for the same seeds."""
