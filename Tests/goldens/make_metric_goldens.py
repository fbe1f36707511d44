"""Metrics of classifications by scikit-learn, for Tests/Fixtures/metrics-golden.json.

    python Tests/goldens/make_metric_goldens.py

Versions are pinned in requirements.txt.
"""

import json
import pathlib
import random
import warnings

from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

# Classes of the model, truths, predictions.
CASES = [
    (4, [1, 1, 2, 2, 3, 3], [1, 1, 2, 2, 3, 1]),  # labels from 1, as star ratings have them
    (3, [1, 2, 1, 2], [1, 2, 1, 2]),  # two classes with the labels 1 and 2, all right
    (3, [1, 2, 1, 2], [1, 2, 2, 2]),
    (3, [0, 2, 2, 0], [0, 2, 2, 0]),  # a class between others never occurs
    (3, [0, 2, 2, 0], [1, 2, 2, 0]),  # it occurs among the predictions alone
    (6, [1, 2, 3, 4, 5, 5, 3, 1], [1, 2, 3, 3, 5, 4, 3, 2]),
    (3, [1, 1, 1], [1, 1, 1]),  # one class of three
    (3, [1, 1, 1], [0, 2, 0]),
    (2, [0, 1, 1, 0, 1], [0, 1, 0, 0, 1]),  # two classes: F1 of class 1
    (2, [0, 0, 0], [0, 0, 0]),  # it neither occurs nor is predicted
    (2, [1, 1], [1, 1]),
    (2, [0, 1], [1, 0]),
    (10000, [5, 9999, 5, 5], [5, 9999, 9999, 5]),
]

generator = random.Random(17)
for classes in (3, 7, 27):
    # EMNIST's letters have 26 classes, numbered from 1.
    truths = [generator.randrange(1, classes) for _ in range(60)]
    CASES.append((classes, truths, [t if generator.random() < 0.7 else generator.randrange(1, classes) for t in truths]))

goldens = []
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    for classes, truths, predictions in CASES:
        average = "binary" if classes == 2 else "macro"
        goldens.append(
            {
                "classes": classes,
                "truths": truths,
                "predictions": predictions,
                "accuracy": float(accuracy_score(truths, predictions)),
                "f1": float(f1_score(truths, predictions, average=average, zero_division=0)),
                "matthews_correlation": float(matthews_corrcoef(truths, predictions)),
            }
        )

path = pathlib.Path(__file__).parent.parent / "Fixtures" / "metrics-golden.json"
path.write_text("[\n" + ",\n".join(json.dumps(golden) for golden in goldens) + "\n]\n")
