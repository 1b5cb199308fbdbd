"""Reasons to stop an experiment: each a small class in a file of its own."""
