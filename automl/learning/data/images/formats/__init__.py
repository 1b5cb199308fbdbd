"""The forms in which datasets lie in folders, one module each: `matches(folder)`, `read(folder, wanted)`."""
