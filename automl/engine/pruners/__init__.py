"""Who ends a running trial that is going nowhere."""
