"""One module per library, named after its top-level package; `automl.algorithms.estimators` finds them."""
