"""The search: one single-threaded loop that proposes, submits, waits, tells, and checks whether to stop."""
