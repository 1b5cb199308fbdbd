"""The forms that datasets have in folders, one module each: `matches(folder)`, `read(folder, wanted)`."""
