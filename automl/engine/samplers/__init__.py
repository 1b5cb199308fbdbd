"""Samplers, which propose hyperparameters once the portfolio has been tried."""
