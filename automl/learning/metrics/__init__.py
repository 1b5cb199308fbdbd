"""How predictions are scored: one frozen `Metric` per score, one table per family, one place that knows their names."""
