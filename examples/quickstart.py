"""Search on Iris, look at what was found, and load the registered model."""

import automl

result = automl.fit(task="classification", data="iris", metric="accuracy", time_budget="60s")

print(result)  # best model, why it stopped, planned against spent time
print(result.leaderboard().head())  # rank, algorithm, score, spread over folds, seconds, size
print(result.predict([[5.1, 3.5, 1.4, 0.2]]))  # ['setosa']

model = automl.load_model("iris@champion")  # a fitted scikit-learn estimator, from any process
print(model.predict_proba([[5.1, 3.5, 1.4, 0.2]]))
