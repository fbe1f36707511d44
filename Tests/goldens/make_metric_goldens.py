"""Prints the golden values of Tests/TrainingTests/MetricsOracleTests.swift with scikit-learn.

    .venv/bin/pip install scikit-learn==1.9.1
    .venv/bin/python Tests/goldens/make_metric_goldens.py
"""

from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

CASES = [
    # truths, predictions, classes of the model
    ([1, 1, 2, 2, 3, 3], [1, 1, 2, 2, 3, 1], 4),  # star ratings: class 0 does not exist
    ([1, 2, 1, 2], [1, 2, 1, 2], 3),  # labels 1 and 2, all right
    ([1, 2, 1, 2], [1, 2, 2, 2], 3),
    ([0, 2, 2, 0], [0, 2, 2, 0], 3),
    ([5, 5, 7], [5, 7, 7], 10),
    ([1, 1, 2], [3, 1, 2], 4),  # a class that is predicted only
    ([0, 1, 2, 3], [0, 1, 2, 3], 4),
    ([0, 1, 2, 3], [1, 2, 3, 0], 4),
    ([2, 2, 2], [2, 2, 2], 3),  # one class alone
    ([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1], 3),
]

for truths, predictions, classes in CASES:
    print(
        f"        ({truths}, {predictions}, {classes}, {f1_score(truths, predictions, average='macro')!r}, "
        f"{float(accuracy_score(truths, predictions))!r}, {float(matthews_corrcoef(truths, predictions))!r}),")
