"""Times Hugging Face's tokenizers and `rankwise bench tokenize` in turns on the same tokenizer and texts, on one thread.

    python launch/rival/time_tokenizers.py --rankwise .build/release/rankwise --model minilm --texts reviews.txt [--rounds 5] [--texts-limit 10000]

Printed are the fastest of the rounds for ids alone (encode_batch_fast) and with offsets (encode_batch), and the ratios. Both sides read the
same tokenizer.json; the numbers of tokens must be equal.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import tokenizers  # noqa: E402  The threads are counted when it is loaded.


def main():
    parser = argparse.ArgumentParser()
    for name in ("rankwise", "model", "texts"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts-limit", type=int, default=10_000)
    arguments = parser.parse_args()
    with open(arguments.texts, encoding="utf-8") as file:
        texts = [line for line in file.read().split("\n") if line][: arguments.texts_limit]
    tokenizer = tokenizers.Tokenizer.from_file(os.path.join(arguments.model, "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def seconds(encode):
        start = time.perf_counter()
        count = sum(len(encoded.ids) for encoded in encode(texts))
        return time.perf_counter() - start, count

    times = {"ids": [], "offsets": []}
    ours = {"ids": [], "offsets": []}
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(texts))
        file.flush()
        for _ in range(arguments.rounds):
            for kind, encode in (("ids", tokenizer.encode_batch_fast), ("offsets", tokenizer.encode_batch)):
                elapsed, count = seconds(encode)
                times[kind].append(elapsed)
            command = [arguments.rankwise, "bench", "tokenize", "--model", arguments.model, "--texts", file.name, "--rounds", "1", "--json"]
            figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            if (figures["texts"], figures["tokens"]) != (len(texts), count):
                raise SystemExit(f"{figures['tokens']} tokens of {figures['texts']} texts, expected {count} of {len(texts)}")
            for kind in ours:
                ours[kind].append(figures[f"{kind}Seconds"])
    print(f"tokenizers {tokenizers.__version__} and rankwise: {len(texts)} texts, {count} tokens, one thread, fastest of {arguments.rounds}")
    for kind, name in (("ids", "ids alone"), ("offsets", "with offsets")):
        theirs, mine = min(times[kind]), min(ours[kind])
        print(f"{name:13} tokenizers {theirs * 1e3:8.1f} ms   rankwise {mine * 1e3:8.1f} ms   ratio {theirs / mine:.2f}")


if __name__ == "__main__":
    main()
