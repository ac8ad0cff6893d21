"""Trains OpenNMT-py's models of this folder: ``python make_opennmt.py ENVIRONMENT``, a virtual environment with OpenNMT-py 3.5.1."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from make import without_optimizer, write_text

HERE = Path(__file__).resolve().parent
MODELS: dict[str, dict[str, Any]] = {
    # The defaults of OpenNMT-py, but for the sizes: two unidirectional layers, bilinear attention, input feeding.
    "opennmt-default": {
        "encoder_type": "rnn",
        "enc_layers": 2,
        "dec_layers": 2,
        "hidden_size": 24,
        "learning_rate": 0.01,
        "train_steps": 1500,
    },
    "opennmt-brnn": {
        "encoder_type": "brnn",
        "train_steps": 500,
        "rnn_type": "GRU",
        "enc_layers": 1,
        "dec_layers": 1,
        "global_attention": "mlp",
        "input_feed": 0,
        "share_vocab": "true",
        "share_embeddings": "true",
        "share_decoder_embeddings": "true",
        "word_vec_size": 20,
    },
}


def main() -> None:
    """Train, translate, and keep the files that the importer reads."""
    tools = Path(sys.argv[1]) / "bin"
    environment = {**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "OMP_NUM_THREADS": "1"}
    for name in sys.argv[2:] or MODELS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write_text(folder, "de", "en")
            sides = ("de", "en")
            for side in sides:
                words = sorted(set((folder / f"train.{side}").read_text("utf-8").split()))
                (folder / f"vocabulary.{side}").write_text("".join(f"{word}\n" for word in words), "utf-8")
            joint = sorted(
                {
                    word
                    for side in sides
                    for word in (folder / f"vocabulary.{side}").read_text("utf-8").split()
                }
            )
            (folder / "vocabulary.joint").write_text("".join(f"{word}\n" for word in joint), "utf-8")
            shared = "share_vocab" in MODELS[name]
            settings = {
                "data": f'{{corpus: {{path_src: "{folder}/train.de", path_tgt: "{folder}/train.en", transforms: [], weight: 1}}}}',
                "src_vocab": folder / f"vocabulary.{'joint' if shared else 'de'}",
                "tgt_vocab": folder / f"vocabulary.{'joint' if shared else 'en'}",
                "save_model": folder / "model",
                "decoder_type": "rnn",
                "word_vec_size": 12,
                "hidden_size": 20,
                "dropout": "[0.0]",
                "optim": "adam",
                "learning_rate": 0.02,
                "learning_rate_decay": 1.0,
                "max_grad_norm": 1.0,
                "batch_type": "sents",
                "batch_size": 64,
                "normalization": "tokens",
                "num_workers": 0,
                "bucket_size": 4000,
                "save_checkpoint_steps": MODELS[name]["train_steps"],
                "valid_steps": 10_000_000,
                "report_every": 100,
                "model_dtype": "fp32",
                "seed": 1,
                **MODELS[name],
            }
            model = f"model_step_{MODELS[name]['train_steps']}.pt"
            configuration = folder / "train.yaml"
            configuration.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()), "utf-8")
            subprocess.run([tools / "onmt_train", "-config", configuration], check=True, env=environment)
            output = HERE / name
            shutil.rmtree(output, ignore_errors=True)
            output.mkdir()
            for beam in (1, 4):
                words = (
                    *("-model", folder / model, "-src", folder / "test.de"),
                    *("-output", output / f"translations.{beam}.txt", "-beam_size", beam, "-batch_size", 64),
                    *("-batch_type", "sents", "-length_penalty", "avg", "-alpha", 1.0, "-max_length", 200),
                    *("-max_length_ratio", 0, "-ban_unk_token"),
                )
                subprocess.run([tools / "onmt_translate", *map(str, words)], check=True, env=environment)
            shutil.copy(folder / model, output / model)
            without_optimizer(output / model, "optim")


if __name__ == "__main__":
    main()
