"""The views that people look at while a search runs and when it has ended: progress, leaderboard, plan, report."""
