"""The problem that is searched: inputs, preparing, files, environment."""
