"""Nets for pictures, and the one loop that trains them. Importing its modules needs torch."""
