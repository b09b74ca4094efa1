"""lm-evaluation-harness on the documents of this project, without a hub.

    python lm_eval_tasks.py hash DATA [--shots N] [--limit N] [--examples]
    python lm_eval_tasks.py score MODEL DATA OUT [--shots N] [--limit N] [--tasks NAMES]
    python lm_eval_tasks.py serve MODEL DATA [--threads N] [--tasks NAMES]

DATA: folder with the JSON Lines files of the tasks. MODEL: a Hugging Face folder. The tasks are the harness's own
definitions; only where their documents come from is replaced.

hash   the sha256 of Python's JSON of all `[context, continuation]` of each task, in the order of the documents
score  results_DATE.json and samples_TASK_DATE.jsonl, by the harness's own writer, in a folder below OUT
serve  one JSON object a line on standard input, `{"task", "limit", "batch"}`: scores the first documents of the task and
       answers with the seconds that this took, the processor time, and the log-likelihoods

Made with lm-eval 0.4.13, transformers 5.18 and torch 2.13. Install: pip install torch transformers datasets accelerate
lm-eval. Where `pytablewriter` or `sqlitedict` are missing, lm-eval can be installed with --no-deps.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
import types
from pathlib import Path

SCRATCH = tempfile.TemporaryDirectory(prefix="gptj-lm-eval-")
os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=SCRATCH.name, TOKENIZERS_PARALLELISM="false")


def stand_in(name, **attributes):
    """The harness imports these for tables and caches that are not used here."""
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)
        for attribute, value in attributes.items():
            setattr(sys.modules[name], attribute, value)


stand_in("pytablewriter", LatexTableWriter=object, MarkdownTableWriter=object)
stand_in("sqlitedict", SqliteDict=dict)

import lm_eval.tasks  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

# Name: file of this project, folder and file of the harness's definition, the split that documents stand for.
TASKS = {
    "lambada_openai": ("lambada_test.jsonl", "lambada/lambada_openai.yaml", "test"),
    "winogrande": ("winogrande_xl_validation.jsonl", "winogrande/default.yaml", "validation"),
    "hellaswag": ("hellaswag_val_lmeval.jsonl", "hellaswag/hellaswag.yaml", "validation"),
    "piqa": ("piqa_validation.jsonl", "piqa/piqa.yaml", "validation"),
    "mathqa": ("mathqa_test.jsonl", "mathqa/mathqa.yaml", "test"),
    "pubmedqa": ("pubmedqa_all1000.jsonl", "pubmedqa/pubmedqa.yaml", "test"),
    "lambada_standard": ("lambada_standard_test.jsonl", "lambada/lambada_standard.yaml", "test"),
}
# Examples of another split than the documents: these documents stand for it.
EXAMPLE_DOCUMENTS = 200
FEW_SHOT_SEED = 1234


def define_task(name, data, folder, has_examples):
    """Writes a task file that includes the harness's own and reads local files."""
    file, definition, split = TASKS[name]
    included = Path(lm_eval.tasks.__file__).parent / definition
    splits = [line.split(":")[0] for line in included.read_text().splitlines() if "_split:" in line]
    example_split = next((each for each in splits if each in ("training_split", "validation_split")), None)
    files = {split: str(Path(data, file).resolve())}
    lines = [f"include: {included}", "dataset_path: json", "dataset_name: null"]
    for each in splits:
        declared = each.removesuffix("_split")
        if declared == split:
            lines.append(f"{each}: {split}")
        elif has_examples and each == example_split:
            path = Path(folder, f"{name}_examples.jsonl")
            with open(files[split], encoding="utf8") as documents:
                path.write_text("".join(line for _, line in zip(range(EXAMPLE_DOCUMENTS), documents)), encoding="utf8")
            files["examples"] = str(path)
            lines.append(f"{each}: examples")
        else:
            lines.append(f"{each}: null")
    if not has_examples and split == "test" and example_split is not None:
        # The harness would draw from a split that is not at hand.
        lines.append("fewshot_split: test")
    if name == "hellaswag":
        # The file has the documents after the harness's preprocessing.
        lines.append("process_docs: null")
    lines.append(f"dataset_kwargs: {json.dumps({'data_files': files})}")
    Path(folder, f"{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf8")


def load_tasks(names, data, shots, has_examples=False):
    with tempfile.TemporaryDirectory(dir=SCRATCH.name) as folder:
        for name in names:
            define_task(name, data, folder, has_examples)
        manager = TaskManager(include_path=folder, include_defaults=False)
        tasks = manager.load(list(names))["tasks"]
    for task in tasks.values():
        task.set_config(key="num_fewshot", value=shots)
        task.set_fewshot_seed(seed=FEW_SHOT_SEED)
    return tasks


def requests_of(task, limit):
    task.build_all_requests(limit=limit, rank=0, world_size=1)
    return [instance.args for instance in task.instances]


def hash_requests(options):
    hashes = {}
    for name in options.tasks:
        task = load_tasks([name], options.data, options.shots, options.examples)[name]
        rows = [list(arguments) for arguments in requests_of(task, options.limit)]
        digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
        hashes[name] = {"requests": len(rows), "sha256": digest}
        print(name, len(rows), digest, file=sys.stderr)
    print(json.dumps(hashes, indent=1))


def open_model(options):
    import torch
    from lm_eval.models.huggingface import HFLM

    torch.set_num_threads(options.threads)
    return HFLM(pretrained=options.model, dtype="float32", device="cpu", batch_size=options.batch)


def score(options):
    from lm_eval.evaluator import evaluate
    from lm_eval.loggers import EvaluationTracker

    tasks = load_tasks(options.tasks, options.data, options.shots)
    results = evaluate(open_model(options), tasks, limit=options.limit, log_samples=True, bootstrap_iters=100_000)
    samples = results.pop("samples")
    tracker = EvaluationTracker(output_path=options.out)
    tracker.general_config_tracker.log_experiment_args(
        model_source="hf",
        model_args=f"pretrained={options.model}",
        system_instruction=None,
        chat_template=None,
        fewshot_as_multiturn=False,
    )
    tracker.save_results_aggregated(results, samples)
    for name, rows in samples.items():
        tracker.save_results_samples(name, rows)


def serve(options):
    import lm_eval
    import torch
    import transformers

    model = open_model(options)
    tasks = load_tasks(options.tasks, options.data, 0)
    # The harness prints progress to the standard output of some versions; replies have a copy of it of their own.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    versions = {"lm_eval": lm_eval.__version__, "transformers": transformers.__version__, "torch": torch.__version__}
    print(json.dumps({"versions": versions}), file=replies, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        task = tasks[order["task"]]
        task.build_all_requests(limit=order["limit"], rank=0, world_size=1)
        model.batch_size_per_gpu = order["batch"]
        started, processor = time.perf_counter(), time.process_time()
        scores = model.loglikelihood(task.instances, disable_tqdm=True)
        reply = {
            "seconds": time.perf_counter() - started,
            "processorSeconds": time.process_time() - processor,
            "logLikelihoods": [value for value, _ in scores],
        }
        print(json.dumps(reply), file=replies, flush=True)


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    for command in (hash_requests, score, serve):
        sub = commands.add_parser(command.__name__.split("_")[0])
        sub.set_defaults(run=command)
        if command is not hash_requests:
            sub.add_argument("model")
        sub.add_argument("data")
        if command is score:
            sub.add_argument("out")
        if command is hash_requests:
            sub.add_argument("--examples", action="store_true")
        else:
            sub.add_argument("--threads", type=int, default=2)
            sub.add_argument("--batch", type=int, default=8)
        sub.add_argument("--shots", type=int, default=0)
        sub.add_argument("--limit", type=int)
        sub.add_argument("--tasks", default=",".join(TASKS), type=lambda text: text.split(","))
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
