"""The mirror: a separate process that copies an experiment's records into MLflow. What it writes can be rebuilt."""
