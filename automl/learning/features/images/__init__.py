"""Pictures to a matrix: flattened, histograms of gradients, responses to patches; or as they are, for nets."""
