"""Eole in the comparison: its options for the shared network."""

from __future__ import annotations

import json
from pathlib import Path

import peer_toolkit as shared
from peer_environments import Requirements
from peer_process import Command
from peer_toolkit import Training, Translation


class Eole:
    """Eole 0.6.4: hidden_size counts both directions together, and the decoder must have the same size."""

    name = "Eole 0.6.4"
    requirements = Requirements(
        "eole",
        "eole==0.6.4",
        # Its command imports all tools and servers, including aiohttp and requests, which it does not declare.
        (
            "numpy==2.4.6", "aiohttp==3.14.5", "configargparse==1.9.0", "ctranslate2==4.8.5", "fastapi==0.165.0",
            "huggingface_hub==2.4.0", "pandas==3.1.1", "pyahocorasick==2.3.1", "pydantic==2.14.4", "pyonmttok==1.38.1",
            "pyyaml==6.0.4", "rapidfuzz==3.14.6", "requests==2.34.2", "rich==15.0.0", "sacrebleu==2.6.0",
            "safetensors==0.8.0", "sentencepiece==0.2.2", "six==1.17.0", "subword-nmt==0.3.8", "tensorboard==2.21.0",
            "tokenizers==0.23.3", "torch-optimi==0.3.3", "uvicorn==0.54.0", "waitress==3.0.2",
        ),
    )  # fmt: skip

    def help_command(self, python: Path) -> Command:
        """``eole --help``."""
        return Command((python.with_name("eole"), "--help"))

    def train_command(self, python: Path, training: Training) -> Command:
        """Write its configuration (JSON is YAML) and train on text in pieces."""
        text, hidden = training.text, 2 * shared.DIRECTION
        assert hidden == shared.DECODER
        configuration = training.folder / "train.yaml"
        settings = {
            "data": {
                "corpus": {
                    "path_src": str(text.side("train.source")),
                    "path_tgt": str(text.side("train.target")),
                    "transforms": [],
                    "weight": 1,
                }
            },
            "src_vocab": str(text.vocabulary),
            "tgt_vocab": str(text.vocabulary),
            "share_vocab": True,
            "vocab_size_multiple": 1,
            "save_data": str(training.folder / "data"),
            "overwrite": True,
            "report_every": 50,
            "seed": 1,
            "model": {
                "architecture": "rnn",
                "input_feed": int(training.input_feeding),
                "share_embeddings": True,
                "embeddings": {"word_vec_size": shared.EMBEDDING},
                "encoder": {"encoder_type": "brnn", "layers": 1, "hidden_size": hidden, "rnn_type": "LSTM"},
                "decoder": {
                    "decoder_type": "rnn",
                    "layers": 1,
                    "hidden_size": hidden,
                    "rnn_type": "LSTM",
                    "global_attention": "general",
                },
            },
            "training": {
                "model_path": str(training.folder / "model"),
                "optim": "adam",
                "learning_rate": shared.LEARNING_RATE,
                "learning_rate_decay": 1.0,
                "max_grad_norm": shared.CLIP_NORM,
                "dropout": [shared.DROPOUT],
                "label_smoothing": shared.LABEL_SMOOTHING,
                "batch_type": "sents",
                "batch_size": shared.BATCH_SENTENCES,
                "normalization": "tokens",
                # One bucket per pass, so that the batches of each pass have the same pairs.
                "bucket_size": text.pairs,
                "num_workers": 0,
                "train_steps": training.steps,
                "save_checkpoint_steps": training.save_every,
                "valid_steps": 10_000_000,
                "compute_dtype": "fp32",
                "log_attention_entropy": False,
            },
        }
        configuration.write_text(json.dumps(settings, indent=1), "utf-8")
        return Command(
            shared.recorded(python, training.record, "eole.bin.main", "train", "-c", configuration)
        )

    def checkpoints(self, folder: Path) -> list[Path]:
        """Folders step_N in the model's folder."""
        return shared.by_age(folder / "model", "step_*")

    def translate_command(self, python: Path, translation: Translation) -> Command:
        """``eole predict``."""
        length = translation.length
        settings: dict[str, object] = {
            "model_path": [str(translation.model)],
            "src": str(translation.source),
            "output": str(translation.output),
            "beam_size": translation.beam_size,
            "batch_size": shared.TRANSLATED_AT_ONCE,
            "batch_type": "sents",
            "length_penalty": "avg",
            "alpha": 1.0,
            "max_length_ratio": 0,
            "max_length": 250,
            "compute_dtype": "fp32",
            "gpu_ranks": [],
        }
        if length is not None:
            settings |= {"min_length": length, "max_length": length}
        configuration = translation.output.with_suffix(".yaml")
        configuration.write_text(json.dumps(settings, indent=1), "utf-8")
        return Command((python.with_name("eole"), "predict", "-c", configuration))
