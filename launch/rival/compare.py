"""rankwise and Hugging Face PEFT train the same configuration in turn; prints medians and ratios.

    launch/rival/compare.sh [--rounds 5] [--steps 30] [--processes 1,2] [--json]

compare.sh starts this with a Python that has PEFT. In each round every number of processes is tried with three
programs, one after the other, and another one comes first each time: `rankwise train` under mpirun, peft_train.py, and
peft_train.py with its rows grouped by length. All run warm-up steps and then the measured ones, under one
configuration, with its schedule shortened to so many steps, and with the orthogonality term and the sensitivity that
PEFT knows.

Ratios say how many times better rankwise is: more of a rate, less of a time or of memory. Each is the median over the
rounds of the ratio within a round. Memory is watched from outside, in the same way for all: the peak of what a process
holds, and the part of it that is its own (anonymous memory, without files mapped such as weights and libraries).
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version

import yaml

RIVAL = pathlib.Path(__file__).resolve().parent
PACKAGE = RIVAL.parent.parent

PROGRAMS = {"rankwise": "rankwise", "peft": "PEFT", "peft_grouped": "PEFT by length"}

# name: (title, how to show it, whether more is better)
FIGURES = {
    "samples_per_second": ("samples/s", "{:.1f}", True),
    "median_step_seconds": ("seconds a step (median)", "{:.3f}", False),
    "tokens_per_second": ("real tokens/s", "{:.0f}", True),
    "peak_memory_bytes": ("peak memory of a process, MB", "{:.0f}", False),
    "own_memory_bytes": ("of that its own, MB", "{:.0f}", False),
    "first_step_seconds": ("start to end of first step, s", "{:.2f}", False),
}


def shared_settings(arguments, configuration):
    """What both programs are told to change in the configuration."""
    total = arguments.warm_up + arguments.steps
    factor = min(1, total / configuration["total_step"])
    data, adapter = arguments.data, configuration["adapter"]
    return [
        f"model={data}/minilm", f"data.train={data}/movie-reviews/train.tsv", f"total_step={total}",
        f"adapter.tinit={int(adapter['tinit'] * factor)}", f"adapter.tfinal={int(adapter['tfinal'] * factor)}",
        f"optimizer.warmup_steps={int(configuration['optimizer'].get('warmup_steps', 0) * factor)}",
        "adapter.orthogonality=peft", "adapter.sensitivity_at=update", "threads=1"]


def with_options(settings):
    return [word for setting in settings for word in ("--set", setting)]


def family(process):
    """The process and all that descend from it."""
    found = [process]
    for member in found:
        for children in pathlib.Path(f"/proc/{member}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                pass  # It has ended.
    return found


def memory_of(process):
    """Peak of resident memory so far, and anonymous memory now, in bytes; 0 of a process that has ended."""
    try:
        lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    fields = dict(line.split(":", 1) for line in lines)
    return tuple(int(fields.get(name, "0 kB").split()[0]) * 1024 for name in ["VmHWM", "RssAnon"])


def run(command, first_step_file=None):
    """Runs a program to its end: what it printed, and what was seen of it from outside."""
    peak = own = 0
    first_step = None
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = look = time.perf_counter()
        job = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        try:
            while job.poll() is None:
                now = time.perf_counter()
                waiting = first_step_file and first_step is None
                if waiting and first_step_file.exists() and first_step_file.stat().st_size:
                    first_step = now - start
                if now >= look:
                    memory = [memory_of(process) for process in family(job.pid)]
                    peak, own = max([peak, *(item[0] for item in memory)]), max([own, *(item[1] for item in memory)])
                    look = now + 0.05
                time.sleep(0.005 if waiting else 0.05)
        finally:
            if job.poll() is None:
                job.terminate()
                job.wait()
        output.seek(0)
        errors.seek(0)
        if job.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}\nended with {job.returncode}:\n{errors.read()[-2000:]}")
        figures = {"peak_memory_bytes": peak, "own_memory_bytes": own}
        return output.read(), figures | ({"first_step_seconds": first_step} if first_step_file else {})


def mpirun(processes):
    command = ["mpirun", "-q", "-np", str(processes), "--oversubscribe"]
    if os.geteuid() == 0:
        command += ["--allow-run-as-root"]
    if processes > len(os.sched_getaffinity(0)):
        command += ["--bind-to", "none"]
    return command


def run_rankwise(arguments, configuration, settings, processes):
    with tempfile.TemporaryDirectory() as folder:
        metrics = pathlib.Path(folder) / "run" / "metrics.jsonl"
        settings = settings + [f"output={metrics.parent}", "data.validation=null", "data.test=null"]
        _, seen = run(
            [*mpirun(processes), arguments.rankwise, "train", "--config", arguments.config, *with_options(settings)],
            first_step_file=metrics)
        steps = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()][arguments.warm_up:]
    seconds = [step["step_seconds"] for step in steps]
    return {
        "samples_per_second": configuration["batch_size"] * len(steps) / sum(seconds),
        "median_step_seconds": statistics.median(seconds),
        "tokens_per_second": sum(step["tokens"] for step in steps) / sum(seconds)} | seen


def run_peft(arguments, settings, processes, grouped):
    output, seen = run(
        [sys.executable, RIVAL / "peft_train.py", "--config", arguments.config, *with_options(settings), "--json",
         "--processes", str(processes), "--steps", str(arguments.steps), "--warm-up", str(arguments.warm_up),
         *(["--group-by-length"] if grouped else [])])
    return json.loads(output) | seen


def measure(arguments, configuration):
    """Figures of all runs: by number of processes, then program, one for each round."""
    settings = shared_settings(arguments, configuration)
    runs = {processes: {program: [] for program in PROGRAMS} for processes in arguments.processes}
    for round in range(arguments.rounds):
        for processes in arguments.processes:
            names = list(PROGRAMS)
            turn = round % len(names)
            for program in names[turn:] + names[:turn]:
                print(f"round {round + 1} of {arguments.rounds}, {processes} process(es): {PROGRAMS[program]}",
                      file=sys.stderr)
                if program == "rankwise":
                    figures = run_rankwise(arguments, configuration, settings, processes)
                else:
                    figures = run_peft(arguments, settings, processes, program == "peft_grouped")
                runs[processes][program].append({name: figures[name] for name in FIGURES})
    return runs


def summary(runs):
    """Medians of each program, and of rankwise's ratios to the two others."""
    def ratio(ours, theirs, name):
        return ours[name] / theirs[name] if FIGURES[name][2] else theirs[name] / ours[name]

    result = {}
    for processes, programs in runs.items():
        medians = {
            program: {name: statistics.median(item[name] for item in items) for name in FIGURES}
            for program, items in programs.items()}
        ratios = {
            program: {
                name: statistics.median(ratio(*pair, name) for pair in zip(programs["rankwise"], items))
                for name in FIGURES}
            for program, items in programs.items() if program != "rankwise"}
        result[str(processes)] = {"medians": medians, "ratios": ratios}
    return result


def as_text(report):
    machine = report["machine"]
    lines = [f"{machine['processor']}, {machine['cores']} cores; torch {machine['torch']}, peft {machine['peft']}, "
             f"transformers {machine['transformers']}",
             f"medians of {report['rounds']} round(s), {report['steps']} steps after {report['warm_up']}, "
             "one thread a process"]
    for processes, part in report["processes"].items():
        titles = [*PROGRAMS.values(), "ratio", "by length"]
        lines += ["", f"{processes + ' process(es)':<32}" + "".join(f"{title:>16}" for title in titles)]
        for name, (title, form, _) in FIGURES.items():
            scale = 1e-6 if name.endswith("bytes") else 1
            cells = [form.format(part["medians"][program][name] * scale) for program in PROGRAMS]
            cells += [f"{part['ratios'][program][name]:.2f}" for program in part["ratios"]]
            lines.append(f"{title:<32}" + "".join(f"{cell:>16}" for cell in cells))
    return "\n".join(lines)


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default=PACKAGE / "launch/movie-reviews.yaml",
                        help="a configuration of rankwise train for movie reviews (launch/movie-reviews.yaml)")
    parser.add_argument("--data", default=os.environ.get("RANKWISE_DATA", PACKAGE / "data"),
                        help="where launch/fetch-data.sh put model and data (RANKWISE_DATA, or data/ of the package)")
    parser.add_argument("--rankwise", default=PACKAGE / ".build/release/rankwise",
                        help="the program (.build/release/rankwise)")
    parser.add_argument("--processes", default="1,2", help="numbers of processes (1,2)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (5)")
    parser.add_argument("--steps", type=int, default=30, help="steps of a run that are measured (30)")
    parser.add_argument("--warm-up", type=int, default=3, help="steps of a run before them (3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with the figures of each run")
    arguments = parser.parse_args()
    try:
        arguments.processes = [int(word) for word in arguments.processes.split(",")]
    except ValueError:
        parser.error(f"--processes {arguments.processes}: expected numbers with commas between, such as 1,2")
    if min(*arguments.processes, arguments.rounds, arguments.warm_up) < 1 or arguments.steps < 5:
        parser.error("--processes, --rounds and --warm-up must be at least 1, --steps at least 5")
    for path, remedy in [(arguments.rankwise, "run swift build -c release"),
                         (f"{arguments.data}/minilm", "run launch/fetch-data.sh"),
                         (f"{arguments.data}/movie-reviews", "run launch/fetch-data.sh")]:
        if not os.path.exists(path):
            sys.exit(f"{path}: not there; {remedy}")
    if not shutil.which("mpirun"):
        sys.exit("mpirun: not on the PATH; install Open MPI (launch/install-packages.sh openmpi-bin)")
    # Containers often forbid a process to read another's memory, which Open MPI reports at length and goes around.
    os.environ.setdefault("OMPI_MCA_btl_vader_single_copy_mechanism", "none")

    configuration = yaml.safe_load(pathlib.Path(arguments.config).read_text(encoding="utf-8"))
    runs = measure(arguments, configuration)
    report = {
        "machine": {"processor": processor(), "cores": len(os.sched_getaffinity(0)),
                    **{package: version(package) for package in ["torch", "peft", "transformers"]}},
        "rounds": arguments.rounds, "steps": arguments.steps, "warm_up": arguments.warm_up,
        "processes": summary(runs)}
    print(json.dumps(report | {"runs": runs}, indent=2) if arguments.json else as_text(report))


if __name__ == "__main__":
    main()
