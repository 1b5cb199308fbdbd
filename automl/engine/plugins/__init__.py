"""Parts that are found in a folder or among installed distributions, and chosen by name."""
