"""The scoring of predictions: one frozen `Metric` per score, one table per family, one place that knows their names."""
