"""Admission of trials: by time, memory, GPU memory."""
