"""The one schema of everything a user may write: reads it with file, line and key for every mistake."""
