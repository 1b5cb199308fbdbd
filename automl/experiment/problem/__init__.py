"""What is searched: inputs, preparing, files, environment."""
