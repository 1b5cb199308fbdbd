"""Begin a search with what an earlier one has found, on other data.

The earlier experiment has seen one half of the rows. Its best configurations are run first on the other half, as trials
of the new experiment: scores of other rows say nothing, configurations that did well there are worth trying here.
"""

from sklearn.datasets import load_breast_cancer

import automl

table = load_breast_cancer(as_frame=True).frame
SAME = {
    "task": "classification",
    "target": "target",
    "metric": "log_loss",
    "max_trials": 6,
    "compute": {"executor": "inline"},
    "registry": None,
    "tracking": None,
    "progress": False,
}
quick = {"algorithms": {"allow": ["logistic_regression", "lda"]}, "portfolio": False}

before = automl.fit(data=table[::2], search={**quick, "sampler": "random"}, **SAME)
after = automl.fit(data=table[1::2], search={**quick, "warm_start": before.directory}, **SAME)

print(before.leaderboard().head(3))
print(after.leaderboard().head(3))
print((after.directory / "trials" / "00000" / "params.json").read_text())  # its notes say where it comes from
