"""Whether a trial may start: time, memory, GPU memory."""
