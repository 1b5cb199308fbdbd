"""The mirror: a process of its own that copies an experiment's records into MLflow. What it writes can be rebuilt."""
