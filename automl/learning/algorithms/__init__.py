"""The algorithms that can be trained: only what an estimator's path in a search space cannot say."""
