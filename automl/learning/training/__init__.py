"""A trial of a learner: fitted fold by fold, scored, recorded."""
