"""Trains JoeyNMT's models of this folder: ``python make_joeynmt.py ENVIRONMENT``, a virtual environment with JoeyNMT 2.3.0."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from make import SENTENCES, without_optimizer, write_sentencepiece, write_text

HERE = Path(__file__).resolve().parent
SIZES = {"embedding": 20, "hidden": 20}


def settings(folder: Path, name: str) -> dict[str, Any]:
    """Return the configuration of a model; its paths are those of the temporary folder."""
    gru = name == "joeynmt-gru"
    side = (
        {"level": "word", "max_length": -1, "voc_min_freq": 1}
        if not gru
        else {
            "level": "bpe",
            "tokenizer_type": "sentencepiece",
            "tokenizer_cfg": {"model_file": str(folder / "joint.model")},
            "voc_file": str(folder / "joint.vocabulary"),
            "max_length": -1,
        }
    )
    embeddings = {"embedding_dim": SIZES["embedding"], "dropout": 0.0}
    return {
        "name": name,
        "joeynmt_version": "2.3.0",
        "model_dir": str(folder / "model"),
        "use_cuda": False,
        "fp16": False,
        "random_seed": 1,
        "data": {
            "train": str(folder / "train"),
            "dev": str(folder / "valid"),
            "dataset_type": "plain",
            "src": {"lang": "de", "lowercase": False, "normalize": False, **side},
            "trg": {"lang": "en", "lowercase": False, "normalize": False, **side},
        },
        "training": {
            "optimizer": "adam",
            "learning_rate": 0.02,
            "scheduling": "exponential",
            "decrease_factor": 1.0,
            "clip_grad_norm": 1.0,
            "normalization": "tokens",
            "batch_size": 64,
            "batch_type": "sentence",
            "epochs": 1_000_000,
            "updates": 600,
            "validation_freq": 600,
            "logging_freq": 100,
            "early_stopping_metric": "loss",
            "keep_best_ckpts": -1,
            "print_valid_sents": [],
            "overwrite": True,
        },
        "testing": {
            "n_best": 1,
            "beam_size": 1,
            "beam_alpha": 1.0,
            "batch_size": 64,
            "batch_type": "sentence",
            "max_output_length": 200,
            "eval_metrics": [],
            "generate_unk": False,
        },
        "model": {
            "initializer": "xavier_uniform",
            "bias_initializer": "zeros",
            "init_rnn_orthogonal": True,
            "lstm_forget_gate": 1.0,
            "tied_embeddings": gru,
            "tied_softmax": gru,
            "encoder": {
                "type": "recurrent",
                "rnn_type": "gru" if gru else "lstm",
                "num_layers": 1 if gru else 2,
                "hidden_size": SIZES["hidden"],
                "bidirectional": True,
                "dropout": 0.0,
                "embeddings": {**embeddings, "scale": not gru},
            },
            "decoder": {
                "type": "recurrent",
                "rnn_type": "gru" if gru else "lstm",
                "num_layers": 1 if gru else 2,
                "hidden_size": SIZES["hidden"],
                "attention": "bahdanau" if gru else "luong",
                "input_feeding": gru,
                "init_hidden": "bridge" if gru else "last",
                "hidden_dropout": 0.0,
                "dropout": 0.0,
                "embeddings": embeddings,
            },
        },
    }


def main() -> None:
    """Train, translate, and keep the files that the importer reads."""
    python = Path(sys.argv[1]) / "bin" / "python"
    environment = {**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "OMP_NUM_THREADS": "1"}
    for name in sys.argv[2:] or ("joeynmt-gru", "joeynmt-lstm"):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write_text(folder, "de", "en")
            write_sentencepiece(folder)
            configuration = folder / "train.yaml"
            configuration.write_text(json.dumps(settings(folder, name), indent=1), "utf-8")
            words = [python, "-m", "joeynmt", "train", configuration, "--skip-test"]
            subprocess.run(words, check=True, env=environment)
            output = HERE / name
            shutil.rmtree(output, ignore_errors=True)
            output.mkdir()
            model = folder / "model"
            for beam in (1, 4):
                values = settings(folder, name)
                values["testing"] |= {"beam_size": beam, "load_model": str(model / "best.ckpt")}
                configuration.write_text(json.dumps(values), "utf-8")
                with (folder / "test.de").open("rb") as source:
                    words = [python, "-m", "joeynmt", "translate", configuration]
                    done = subprocess.run(
                        words, stdin=source, stdout=subprocess.PIPE, check=True, env=environment
                    )
                lines = done.stdout.decode().splitlines()
                assert len(lines) == SENTENCES, len(lines)
                (output / f"translations.{beam}.txt").write_bytes(done.stdout)
            for file in ("best.ckpt", "config.yaml", "src_vocab.txt", "trg_vocab.txt", "joint.model"):
                if (model / file).exists():
                    shutil.copy((model / file).resolve(), output / file)
            if name == "joeynmt-lstm":  # the other one stays as it is
                without_optimizer(output / "best.ckpt", "optimizer_state")


if __name__ == "__main__":
    main()
