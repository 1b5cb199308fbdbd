"""One module per library, named after its top-level package; `automl.learning.algorithms.estimators` finds them."""
