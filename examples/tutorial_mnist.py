"""Logistic regression on MNIST with a regularization of 0.8, as a well-known tutorial trains it: one trial, no search.

liblinear knows two classes, so that one model per digit is trained: minutes. The tutorial's accuracy on the test part
is 0.9204.

    AUTOML_DATA_DIR=DIR python examples/tutorial_mnist.py

DIR holds the folder mnist; without it the data is downloaded.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

import automl


class DigitRegression(ClassifierMixin, BaseEstimator):
    """One logistic regression per class, on pixels from 0 to 1."""

    def __init__(
        self, regularization: float = 0.01, n_jobs: int | None = None, random_state: int | None = None
    ) -> None:
        self.regularization = regularization
        self.n_jobs = n_jobs  # the trial's cores
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> "DigitRegression":
        one = LogisticRegression(C=1 / self.regularization, solver="liblinear", random_state=self.random_state)
        self.model_ = OneVsRestClassifier(one, n_jobs=self.n_jobs).fit(flat(X), y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.model_.predict_proba(flat(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.model_.predict(flat(X))


def flat(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(len(pixels), -1) / 255.0


SPACE = {
    "algorithms": {
        "logistic_regression": {
            "estimator": "tutorial_mnist.DigitRegression",
            "view": "pixels",
            "fixed": {"regularization": 0.8},
        }
    }
}

if __name__ == "__main__":  # trials import this file, by its name
    result = automl.fit(
        "image_classification", "mnist", metric="accuracy", max_trials=1, search={"space": SPACE}, trust=True
    )
    print(f"accuracy = {result.best.value:.4f} on the validation rows")
    print(f"on the dataset's own test part: {result.test_metrics.get('accuracy')}")
