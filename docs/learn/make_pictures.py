"""Train the models of the course and make its pictures and figures: ``python docs/learn/make_pictures.py``.

Takes about half an hour on one core. Models and probes are kept in the folder named by --folder and are not made again;
remove a model's folder to train it again. Every command is printed before it is run, and can be run by hand in the folder of
the source tree. Seeds are fixed: on one processor the same commands give the same models.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from course_charts import attempts_chart, curves_chart, lengths_chart, probabilities_picture
from course_models import FAR_VARIANTS, PLUGIN, ROOT, Course, program
from memory_task import DISTANCES

from nmt_lstm import __version__

HERE = Path(__file__).resolve().parent
IMAGES = HERE / "images"
CORPUS = "data/builtin_enja"
CELLS = ("rnn", "gru", "lstm")
LINE = "a c > d a b c b a b c"
SENTENCE = "The young nurse bought two books ."
LONG_SENTENCE = (
    "Mr. Ito, after this kind cook arrived at the airport, that tall actor found one new umbrella."
)
FEW = (500, 2000)
SEEDS = (1, 2)
ADDING = ("--cells", "rnn,gru,lstm", "--lengths", "30,60,100", "--steps", "1500", "--learning-rates", "0.01")
RATES = (
    *("--cells", "rnn,rnn:nonlinearity=relu,gru,lstm", "--lengths", "100", "--steps", "100"),
    *("--learning-rates", "0.001,0.01,0.1,1"),
)


def trace(model: str, line: str, *words: str) -> dict[str, Any]:
    """Return what `inspect` says of a line."""
    found: dict[str, Any] = json.loads(program("inspect", "-m", model, line, "--format", "json", *words))
    return found


def draw(name: str, svg: str) -> None:
    """Write a picture."""
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / name).write_text(svg, encoding="utf-8")
    print(f"  {name}", flush=True)


def inspect_picture(name: str, model: str, line: str, *words: str) -> None:
    """Let `inspect` draw a picture."""
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / name).unlink(missing_ok=True)
    program("inspect", "-m", model, line, "--format", "svg", *words, "-o", str(IMAGES / name))


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def learning_curve(model: str) -> list[tuple[float, float]]:
    """Return (step, chrF) of each validation; for answers of one letter chrF is the percentage of right ones."""
    lines = Path(model, "logs", "metrics.csv").read_text(encoding="utf-8").splitlines()
    names = lines[0].split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:]]
    return [(float(row["step"]), float(row["valid_chrf"])) for row in rows if row["valid_chrf"]]


def gates(course: Course) -> str:
    """Pictures of gates and memory; right answers by distance."""
    for cell in CELLS:
        model = course.memory(f"memory-{cell}", "--cell", cell)
        what = () if cell == "rnn" else ("--what", "gates")
        inspect_picture(f"gates-{cell}.svg", model, LINE, *PLUGIN, *what, "--what", "memory")
    rows = [[cell, *course.right(course.memory(f"memory-{cell}"), "memory")] for cell in CELLS]
    return "## Memory task: right answers in percent, by distance\n\n" + table(
        ["cell", *map(str, DISTANCES)], rows
    )


def data(course: Course) -> str:
    """How much text the memory task needs."""
    rows = []
    for cell in CELLS:
        models = [[course.few(cell, pairs, seed) for seed in SEEDS] for pairs in FEW]
        shares = [
            ", ".join(course.right(model, f"few-{pairs}", [10])[0] for model in group)
            for pairs, group in zip(FEW, models, strict=True)
        ]
        rows.append([cell, *shares])
    head = ["cell", *(f"{pairs:,} lines" for pairs in FEW)]
    return (
        "## Memory task with few lines: right answers in percent at distance 10, seeds 1 and 2\n\n"
        + table(head, rows)
    )


def far(course: Course) -> str:
    """Learning when the marked letter is never near."""
    models = {variant: course.far(variant) for variant in FAR_VARIANTS}
    curves = {variant: learning_curve(model) for variant, model in models.items()}
    draw("far.svg", curves_chart(curves))
    measured = [course.memory(f"memory-{cell}") for cell in CELLS] + [models["lstm, forget bias 4"]]
    picture = IMAGES / "gradients.svg"
    picture.unlink(missing_ok=True)
    text = str(course.folder / "memory" / "test-40.in")
    named = [word for model in measured for word in ("-m", model)]
    program(
        "inspect", "--gradients", *named, *PLUGIN, "-i", text, "--lengths", "40", "--format", "svg", "-o", str(picture)
    )  # fmt: skip
    rows = [[variant, *course.right(model, "far")] for variant, model in models.items()]
    title = (
        "## Memory task, trained on distances of 20 to 40 alone: right answers in percent, by distance\n\n"
    )
    return title + table(["cell", *map(str, DISTANCES)], rows)


def probes(course: Course) -> str:
    """The adding problem, gradient flow and explosions."""
    folder = course.probe("adding", *ADDING)
    shutil.copy(folder / "probe.svg", IMAGES / "adding.svg")
    shutil.copy(folder / "gradient-flow.svg", IMAGES / "gradient-flow.svg")
    rows = [
        [
            record["run"]["cell"]["label"],
            str(record["run"]["length"]),
            f"{record['attempts'][0]['curve'][-1][1]:.3g}",
        ]
        for record in results(folder)
    ]
    text = "## Adding problem: squared error (0.167 without memory, solved below 0.01)\n\n"
    text += table(["cell", "length", "error"], rows)
    for clip in ("0", "1"):
        name = "unclipped" if clip == "0" else "clipped"
        records = results(course.probe(name, *RATES, "--clip-norm", clip))
        if clip == "0":
            draw("explosion.svg", attempts_chart(records))
        rows = [
            [
                record["run"]["cell"]["label"], f"{attempt['learning_rate']:g}",
                number(attempt["largest_gradient"]), number(attempt["curve"][-1][1]), attempt["stopped"],
            ]
            for record in records
            for attempt in record["attempts"]
        ]  # fmt: skip
        text += f"\n## Adding problem over 100 positions, 100 steps, gradients {name}\n\n"
        text += table(["cell", "learning rate", "largest gradient", "error", "ended by"], rows)
    return text


def number(value: float | None) -> str:
    """Return a number of three digits; None is one that was too large."""
    return "not finite" if value is None else f"{value:.3g}"


def results(folder: Path) -> list[dict[str, Any]]:
    """Return the records of a probe."""
    return [json.loads(line) for line in (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()]


def words(_: Course) -> str:
    """The next piece, by a model that comes with the package."""
    sentence = "The dog is sleeping ."
    right, wrong = (
        trace("builtin:en-ja", sentence, "--target", text) for text in ("犬は寝ている。", "犬は食べている。")
    )
    draw("next-piece.svg", probabilities_picture([right, wrong]))
    return ""


def attention(course: Course) -> str:
    """Attention, horizons, and what a translator is without attention."""
    inspect_picture("attention.svg", "builtin:en-ja", SENTENCE, "--what", "attention")
    names = (*CELLS, "no-attention")
    models = {name: course.translator(name) for name in names}
    found = {
        name: json.loads(
            program(
                "evaluate", "-m", model, "-s", f"{CORPUS}/test.en", "-r", f"{CORPUS}/test.ja", "--analysis",
                "--format", "json", *(PLUGIN if name == "no-attention" else ()),
            )
        )
        for name, model in models.items()
    }  # fmt: skip
    lengths: Mapping[str, Any] = {
        name: each["analysis"]["by_source_length"]
        for name, each in found.items()
        if name in ("lstm", "no-attention")
    }
    draw("lengths.svg", lengths_chart(lengths))
    labels = [bucket["label"] for bucket in lengths["lstm"]]
    rows = []
    for name, each in found.items():
        buckets = each["analysis"]["by_source_length"]
        rows.append(
            [name, *(f"{value:.1f}" for value in (each["scores"][0]["value"], *(b["bleu"] for b in buckets)))]
        )
    text = (
        "## Translators: BLEU (beam 5, characters) of the test text, of all and by words of the source\n\n"
        + table(["model", "all", *labels], rows)
    )
    layers = {
        name: trace(model, LONG_SENTENCE, *(PLUGIN if name == "no-attention" else ()))["layers"]
        for name, model in models.items()
    }
    rows = [[name, *(str(layer["horizon"]) for layer in each)] for name, each in layers.items()]
    head = ["model", *(f"{layer['side']} {layer['direction']}" for layer in layers["lstm"])]
    text += f"\n## Translators: horizons in pieces, of “{LONG_SENTENCE}”\n\n" + table(head, rows)
    return text


def processor() -> str:
    """Return the name of the processor, or of its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "an unknown processor"


def main() -> None:
    """Make everything that is missing."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("runs/learn"),
        help="where models are kept [default: runs/learn in the source tree]",
    )
    options = parser.parse_args()
    os.chdir(ROOT)
    course = Course(options.folder)
    parts = [part(course) for part in (gates, data, far, probes, words, attention)]
    head = (
        "# Figures of the course\n\nWritten by `python docs/learn/make_pictures.py` on one core of "
        f"{processor()}, with nmt-lstm {__version__} and torch {torch.__version__}.\n"
    )
    (HERE / "figures.md").write_text("\n".join([head, *filter(None, parts)]), encoding="utf-8")
    print("  figures.md", flush=True)


if __name__ == "__main__":
    main()
