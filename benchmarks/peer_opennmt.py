"""OpenNMT-py in the comparison: its options for the shared network."""

from __future__ import annotations

from pathlib import Path

import peer_toolkit as shared
from peer_environments import Requirements
from peer_process import Command
from peer_toolkit import Training, Translation


class OpenNMT:
    """OpenNMT-py 3.5.1: hidden_size counts both directions together, and the decoder must have the same size."""

    name = "OpenNMT-py 3.5.1"
    requirements = Requirements(
        "opennmt",
        "OpenNMT-py==3.5.1",
        # Its transforms import spacy, pyahocorasick, rapidfuzz and fasttext, whether used or not.
        (
            "numpy==2.4.6", "configargparse==1.9.0", "ctranslate2==4.8.5", "pyonmttok==1.38.1", "pyyaml==6.0.4",
            "sacrebleu==2.6.0", "tensorboard==2.21.0", "flask==3.1.3", "waitress==3.0.2", "rapidfuzz==3.14.6",
            "six==1.17.0", "spacy==3.8.18", "pyahocorasick==2.3.1", "fasttext-wheel==0.9.2",
        ),
    )  # fmt: skip

    def help_command(self, python: Path) -> Command:
        """``onmt_train --help``."""
        return Command((python.with_name("onmt_train"), "--help"))

    def train_command(self, python: Path, training: Training) -> Command:
        """Write its YAML file and train on text in pieces."""
        text, hidden = training.text, 2 * shared.DIRECTION
        assert hidden == shared.DECODER
        configuration = training.folder / "train.yaml"
        settings = {
            "data": f'{{corpus: {{path_src: "{text.side("train.source")}", path_tgt: "{text.side("train.target")}", '
            "transforms: [], weight: 1}}",
            "src_vocab": text.vocabulary,
            "tgt_vocab": text.vocabulary,
            "share_vocab": "true",
            "save_model": training.folder / "model",
            "encoder_type": "brnn",
            "decoder_type": "rnn",
            "rnn_type": "LSTM",
            "word_vec_size": shared.EMBEDDING,
            "hidden_size": hidden,
            "enc_layers": 1,
            "dec_layers": 1,
            "global_attention": "general",
            "input_feed": int(training.input_feeding),
            "share_embeddings": "true",
            "dropout": f"[{shared.DROPOUT}]",
            "label_smoothing": shared.LABEL_SMOOTHING,
            "optim": "adam",
            "learning_rate": shared.LEARNING_RATE,
            "learning_rate_decay": 1.0,
            "max_grad_norm": shared.CLIP_NORM,
            "batch_type": "sents",
            "batch_size": shared.BATCH_SENTENCES,
            "normalization": "tokens",
            # One bucket per pass, so that the batches of each pass have the same pairs.
            "bucket_size": text.pairs,
            "num_workers": 0,
            "train_steps": training.steps,
            "save_checkpoint_steps": training.save_every,
            "valid_steps": 10_000_000,
            "report_every": 50,
            "model_dtype": "fp32",
            "seed": 1,
        }
        configuration.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()), "utf-8")
        return Command(shared.recorded(python, training.record, "onmt.bin.train", "-config", configuration))

    def checkpoints(self, folder: Path) -> list[Path]:
        """model_step_N.pt."""
        return shared.by_age(folder, "model_step_*.pt")

    def translate_command(self, python: Path, translation: Translation) -> Command:
        """``onmt_translate``."""
        length = translation.length
        bounds = ("-max_length", 250) if length is None else ("-min_length", length, "-max_length", length)
        words = (
            *("-model", translation.model, "-src", translation.source, "-output", translation.output),
            *("-beam_size", translation.beam_size, "-batch_size", shared.TRANSLATED_AT_ONCE),
            *(
                "-batch_type",
                "sents",
                "-length_penalty",
                "avg",
                "-alpha",
                1.0,
                "-max_length_ratio",
                0,
                *bounds,
            ),
        )
        return Command((python.with_name("onmt_translate"), *map(str, words)))
