"""AutoMLRegressor in a scikit-learn pipeline, scored by cross-validation.

Every outer fold is a search of its own that never sees the rows which it is scored on: the mean is an honest estimate
of what the whole procedure, search included, is worth on new rows.
"""

import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from automl import AutoMLRegressor


def add_product(X: pd.DataFrame) -> pd.DataFrame:
    """Overweight matters more where the blood pressure is high."""
    return X.assign(bmi_times_bp=X["bmi"] * X["bp"])


X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
search = AutoMLRegressor(metric="r2", time_budget="15s", random_state=0)
model = make_pipeline(FunctionTransformer(add_product), search)

scores = cross_val_score(model, X, y, scoring="r2", cv=KFold(3, shuffle=True, random_state=0))
print(f"r2 = {scores.mean():.3f} +- {scores.std():.3f}")
