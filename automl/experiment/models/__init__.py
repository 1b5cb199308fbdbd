"""What is kept: registration, refit, replay, retention, gc, test scores."""
