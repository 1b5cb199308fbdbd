"""Proposals, a search at one moment, the ends of trials: the journal, and continuing from it."""
