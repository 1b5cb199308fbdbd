"""Raw columns to a matrix, learned inside the fold."""
