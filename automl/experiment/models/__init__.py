"""The models that are kept: registration, refit, replay, retention, gc, test scores."""
