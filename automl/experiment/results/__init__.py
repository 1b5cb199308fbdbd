"""What came of it: summary, leaderboard, selection, Pareto front, phases."""
