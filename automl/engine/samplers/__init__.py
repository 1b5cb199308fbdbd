"""Who proposes hyperparameters once the portfolio has been tried."""
