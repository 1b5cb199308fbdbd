"""Sources of configurations: portfolio, warm start, samplers, populations, final training."""
