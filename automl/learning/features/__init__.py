"""Raw columns, or pictures, to a matrix: learned inside the fold."""
