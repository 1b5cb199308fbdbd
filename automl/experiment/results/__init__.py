"""The outcome: summary, leaderboard, selection, Pareto front, phases."""
