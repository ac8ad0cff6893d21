"""JoeyNMT in the comparison: its options for the shared network."""

from __future__ import annotations

import json
from pathlib import Path

import peer_toolkit as shared
from peer_environments import Requirements
from peer_process import Command
from peer_toolkit import Training, Translation

WITH_LENGTH = Path(__file__).with_name("peer_joeynmt_length.py")


class JoeyNMT:
    """JoeyNMT 2.3.0: the encoder size counts each direction; batches are not sorted by length."""

    name = "JoeyNMT 2.3.0"
    requirements = Requirements(
        "joeynmt",
        "joeynmt==2.3.0",
        # It imports importlib_metadata, which it does not declare.
        (
            "numpy==2.4.6", "datasets==5.2.0", "importlib_metadata==10.2.0", "matplotlib==3.11.2", "packaging==26.4",
            "pandas==3.1.1", "pillow==13.0.0", "plotly==7.1.0", "pyyaml==6.0.4", "sacrebleu==2.6.0",
            "sacremoses==0.2.0", "sentencepiece==0.2.3", "subword-nmt==0.3.8", "tensorboard==2.21.0", "tqdm==4.70.1",
        ),
    )  # fmt: skip

    def help_command(self, python: Path) -> Command:
        """``python -m joeynmt --help``."""
        return Command((python, "-m", "joeynmt", "--help"))

    def train_command(self, python: Path, training: Training) -> Command:
        """Write its configuration (JSON is YAML) and train on text in pieces."""
        configuration = training.folder / "train.yaml"
        configuration.write_text(json.dumps(_settings(training), indent=1), "utf-8")
        words = ("train", configuration, "--skip-test")
        return Command(shared.recorded(python, training.record, "joeynmt", *words))

    def checkpoints(self, folder: Path) -> list[Path]:
        """N.ckpt."""
        return shared.by_age(folder / "model", "*.ckpt")

    def translate_command(self, python: Path, translation: Translation) -> Command:
        """``joeynmt translate`` through standard streams (its -o fails), with the configuration of the training run."""
        settings = json.loads((translation.folder / "train.yaml").read_text("utf-8"))
        length = translation.length
        settings["testing"] |= {
            "load_model": str(translation.model),
            "beam_size": translation.beam_size,
            "max_output_length": length or 250,
        }
        configuration = translation.output.with_suffix(".yaml")
        configuration.write_text(json.dumps(settings, indent=1), "utf-8")
        program = ("-m", "joeynmt") if length is None else ("-P", WITH_LENGTH, str(length))
        return Command(
            (python, *program, "translate", configuration),
            standard_input=translation.source,
            standard_output=translation.output,
        )


def _settings(training: Training) -> dict[str, object]:
    text = training.text
    side = {
        "level": "word",
        "lowercase": False,
        "normalize": False,
        "max_length": -1,
        "voc_file": str(text.vocabulary),
    }
    return {
        "name": "peer",
        "joeynmt_version": "2.3.0",
        "model_dir": str(training.folder / "model"),
        "use_cuda": False,
        "fp16": False,
        "random_seed": 1,
        "data": {
            "train": str(text.folder / "train"),
            # It saves only after validation, so it validates on little text.
            "dev": str(text.folder / "short"),
            "dataset_type": "plain",
            "src": {"lang": "source", **side},
            "trg": {"lang": "target", **side},
        },
        "training": {
            "optimizer": "adam",
            "learning_rate": shared.LEARNING_RATE,
            # The default of its recurrent configurations; this patience keeps the rate constant.
            "scheduling": "plateau",
            "patience": 1_000_000,
            "learning_rate_min": 0.0,
            "clip_grad_norm": shared.CLIP_NORM,
            "normalization": "tokens",
            "label_smoothing": shared.LABEL_SMOOTHING,
            "batch_size": shared.BATCH_SENTENCES,
            "batch_type": "sentence",
            "epochs": 1_000_000,
            "updates": training.steps,
            "validation_freq": training.save_every,
            "logging_freq": training.save_every,
            "early_stopping_metric": "loss",
            "keep_best_ckpts": -1,
            "print_valid_sents": [],
            "overwrite": True,
        },
        "testing": {
            "n_best": 1,
            "beam_size": 1,
            "beam_alpha": 1.0,
            "batch_size": shared.TRANSLATED_AT_ONCE,
            "batch_type": "sentence",
            "max_output_length": 60,
            "eval_metrics": [],
            "generate_unk": False,
        },
        "model": {
            "initializer": "xavier_uniform",
            "bias_initializer": "zeros",
            "init_rnn_orthogonal": True,
            "lstm_forget_gate": 1.0,
            "tied_embeddings": True,
            "encoder": {
                "type": "recurrent",
                "rnn_type": "lstm",
                "num_layers": 1,
                "hidden_size": shared.DIRECTION,
                "bidirectional": True,
                "dropout": shared.DROPOUT,
                "embeddings": {"embedding_dim": shared.EMBEDDING, "dropout": shared.DROPOUT},
            },
            "decoder": {
                "type": "recurrent",
                "rnn_type": "lstm",
                "num_layers": 1,
                "hidden_size": shared.DECODER,
                "attention": "luong",
                "input_feeding": training.input_feeding,
                "init_hidden": "bridge",
                "hidden_dropout": shared.DROPOUT,
                "dropout": shared.DROPOUT,
                "embeddings": {"embedding_dim": shared.EMBEDDING, "dropout": shared.DROPOUT},
            },
        },
    }
