"""Where configurations come from: portfolio, warm start, samplers, populations, final training."""
