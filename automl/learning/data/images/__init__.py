"""Pictures: from files, archives and arrays to one array of pixels, decoded once."""
