"""Trains the built-in model on the built-in corpus, and writes it to `trained/` and, in int8 with its scores, to `model/`.

    python data/builtin_enja/make_model.py            # writes data/builtin_enja/model again
    python data/builtin_enja/make_model.py --check    # scores the existing model; exit status 1 if the score differs

Training takes about 10 minutes on one core. The folder --work keeps checkpoints, so that the same command resumes an
interrupted run. On the same machine the same command writes the same weights; on a different processor, sums are rounded
differently, and so the weights differ.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from nmt_lstm import Translator
from nmt_lstm.checkpoint import model_folder
from nmt_lstm.config.load import load_run
from nmt_lstm.evaluation.scores import corpus_scores
from nmt_lstm.inference.exported import write_exported
from nmt_lstm.text.text_file import read_lines
from nmt_lstm.training.fit import fit

FOLDER = Path(__file__).resolve().parent
MODEL = FOLDER / "model"
TRAINED = FOLDER / "trained"
TRANSLATIONS = FOLDER / "model-translations.ja"
# Processors round differently, and their int8 products take inputs of 7 or 8 bits.
MAX_DIFFERENCE = 0.5


def make(work: Path) -> None:
    """Train, export, translate the test text and record its scores."""
    run = load_run(FOLDER / "en-ja.toml", [f"data.prepared={work / 'prepared'}"])
    fit(run, work / "trained", resume=(work / "trained").exists())
    trained = model_folder.read(work / "trained")
    # The folder will be moved: its text is always in the parent folder.
    data = trained.run.data
    names = ("train_source", "train_target", "valid_source", "valid_target")
    beside = {name: Path("..", getattr(data, name).name) for name in names}
    run = trained.run.model_copy(
        update={"data": data.model_copy(update={**beside, "prepared": Path("prepared")})}
    )
    metrics = {name: trained.metrics[name] for name in ("validation", "weights_of_steps")}
    source = replace(trained, run=run, metrics=metrics)
    write_exported(work / "draft", source, "int8")
    texts, test = translate_test(work / "draft")
    shutil.rmtree(MODEL, ignore_errors=True)
    write_exported(MODEL, replace(source, metrics={**metrics, "test": test}), "int8")
    shutil.rmtree(TRAINED, ignore_errors=True)
    state = source.load_model().state_dict()
    model_folder.write(TRAINED, run=run, subwords=source.subwords, model_state=state, metrics=metrics)
    TRANSLATIONS.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


def translate_test(model: Path) -> tuple[list[str], dict[str, Any]]:
    """Translate the test text with a model; return the translations and their scores."""
    translator = Translator.load(model, device="cpu")
    texts = [translation.text for translation in translator.translate(list(read_lines(FOLDER / "test.en")))]
    bleu, chrf = corpus_scores(
        texts, list(read_lines(FOLDER / "test.ja")), metrics=("bleu", "chrf"), tokenize="char"
    )
    return texts, {
        "sentences": len(texts),
        "beam_size": translator.run.search.beam_size,
        "bleu": {"score": round(bleu.value, 2), "signature": bleu.signature},
        "chrf": {"score": round(chrf.value, 2), "signature": chrf.signature},
    }


def check() -> int:
    """Compare translations of the test text with the recorded ones; return the exit status."""
    texts, test = translate_test(MODEL)
    recorded = json.loads((MODEL / "metrics.json").read_text(encoding="utf-8"))["test"]
    before = list(read_lines(TRANSLATIONS))
    same = sum(one == other for one, other in zip(texts, before, strict=True))
    difference = abs(test["bleu"]["score"] - recorded["bleu"]["score"])
    print(
        f"{same} of {len(before)} translations as recorded; BLEU {test['bleu']['score']} ({recorded['bleu']['score']})"
    )
    return int(difference > MAX_DIFFERENCE)


def main() -> int:
    """Write the model, or check it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="score the existing model")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("build/builtin-model"),
        metavar="FOLDER",
        help="folder of the training run",
    )
    options = parser.parse_args()
    if not options.check:
        make(options.work.absolute())
    return check()


if __name__ == "__main__":
    sys.exit(main())
