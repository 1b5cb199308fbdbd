"""Pruners, which end a running trial that is going nowhere."""
