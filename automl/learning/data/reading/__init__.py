"""Reading within bounds: regular files, so many bytes, until the deadline; apart where a library cannot be stopped."""
