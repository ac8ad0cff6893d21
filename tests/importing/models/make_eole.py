"""Trains Eole's model of this folder: ``python make_eole.py ENVIRONMENT``, a virtual environment with Eole 0.6.4."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from make import write_text

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Train, translate, and keep the files that the importer reads."""
    eole = Path(sys.argv[1]) / "bin" / "eole"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_text(folder, "de", "en")
        for side in ("de", "en"):
            words = sorted(set((folder / f"train.{side}").read_text("utf-8").split()))
            (folder / f"vocabulary.{side}").write_text("".join(f"{word}\n" for word in words), "utf-8")
        layer = {"layers": 1, "hidden_size": 24, "rnn_type": "LSTM"}
        corpus = {
            "path_src": f"{folder}/train.de",
            "path_tgt": f"{folder}/train.en",
            "transforms": [],
            "weight": 1,
        }
        settings = {
            "data": {"corpus": corpus},
            "src_vocab": f"{folder}/vocabulary.de",
            "tgt_vocab": f"{folder}/vocabulary.en",
            "save_data": f"{folder}/data",
            "overwrite": True,
            "report_every": 100,
            "seed": 1,
            "model": {
                "architecture": "rnn",
                # By default Eole adds sinusoidal positions to the embeddings of recurrent networks, too.
                "embeddings": {
                    "src_word_vec_size": 12,
                    "tgt_word_vec_size": 16,
                    "position_encoding_type": None,
                },
                # With the architecture "rnn", Eole makes any recurrent encoder unidirectional.
                "encoder": {"encoder_type": "rnn", **layer},
                "decoder": {"decoder_type": "rnn", "global_attention": "general", **layer},
            },
            "training": {
                "model_path": f"{folder}/model",
                "optim": "adam",
                "learning_rate": 0.02,
                "learning_rate_decay": 1.0,
                "max_grad_norm": 1.0,
                "dropout": [0.0],
                "batch_type": "sents",
                "batch_size": 64,
                "normalization": "tokens",
                "bucket_size": 4000,
                "num_workers": 0,
                "train_steps": 600,
                "save_checkpoint_steps": 600,
                "valid_steps": 10_000_000,
                "compute_dtype": "fp32",
                "log_attention_entropy": False,
            },
        }
        configuration = folder / "train.yaml"
        configuration.write_text(json.dumps(settings, indent=1), "utf-8")
        subprocess.run([eole, "train", "-c", configuration], check=True, env=environment)
        output = HERE / "eole-rnn"
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        model = folder / "model" / "step_600"
        for beam in (1, 4):
            settings = {
                "model_path": [str(model)],
                "src": f"{folder}/test.de",
                "output": str(output / f"translations.{beam}.txt"),
                "beam_size": beam,
                # Eole's recurrent encoders read the padding of a batch, so that results depend on the batch.
                "batch_size": 1,
                "batch_type": "sents",
                "length_penalty": "avg",
                "alpha": 1.0,
                "max_length_ratio": 0,
                "max_length": 200,
                "ban_unk_token": True,
                "compute_dtype": "fp32",
                "gpu_ranks": [],
            }
            configuration.write_text(json.dumps(settings, indent=1), "utf-8")
            subprocess.run([eole, "predict", "-c", configuration], check=True, env=environment)
        for file in sorted(model.iterdir()):
            if file.suffix in (".json", ".safetensors"):
                shutil.copy(file, output / file.name)


if __name__ == "__main__":
    main()
