"""What was proposed, what a search looks like at one moment, how trials ended: the journal, and going on from it."""
