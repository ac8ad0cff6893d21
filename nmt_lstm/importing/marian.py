"""Recurrent models of Marian (Junczys-Dowmunt et al. 2018), type s2s: the network of Nematus (Sennrich et al. 2017)."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nmt_lstm.files.regular import open_regular
from nmt_lstm.importing.errors import DamagedSourceError
from nmt_lstm.importing.imported_model import ImportedModel
from nmt_lstm.importing.marian_cells import marian_cell
from nmt_lstm.importing.marian_vocabularies import find_vocabularies, marian_vocabulary
from nmt_lstm.importing.source_options import SourceOptions
from nmt_lstm.importing.source_weights import SourceWeights
from nmt_lstm.importing.text_files import read_yaml, yaml_values
from nmt_lstm.importing.vocabularies import ImportedVocabulary
from nmt_lstm.text.subwords import Subwords

__all__ = ["import_marian", "is_marian"]

TOOLKIT = "Marian"
OPTIONS = "special:model.yml"
CELLS = {"gru": "gru", "lstm": "lstm"}


def is_marian(path: Path) -> bool:
    """Whether a path is a file of arrays."""
    return path.is_file() and path.suffix == ".npz"


def import_marian(path: Path, vocabularies: Sequence[Path] = ()) -> ImportedModel:
    """Return the model in a file.

    Args:
        path: the file, ``*.npz``.
        vocabularies: its vocabularies, ``*.spm``, ``*.yml`` or lists of words: one, or source and target. By default those
            that the configuration beside the model names.

    Raises:
        ImportingError: files are missing or damaged, or parts of the model cannot be expressed.
    """
    arrays = _arrays(path)
    if OPTIONS not in arrays:
        raise DamagedSourceError(
            f"'{path}' has no options (special:model.yml); is it a model of Marian?", path=path
        )
    text = arrays.pop(OPTIONS).tobytes().rstrip(b"\0")
    options = SourceOptions(yaml_values(text, path), path=path, toolkit=TOOLKIT)
    _check_options(options)
    tensors = {
        name: torch.from_numpy(array)
        for name, array in arrays.items()
        if array.dtype in (np.float32, np.float64, np.float16)
    }
    if len(tensors) < len(arrays):
        options.refuse("weights", "weights in float32 (pymarian convert changes them)", "quantised")
    options.check()
    weights = SourceWeights(tensors, path=path, toolkit=TOOLKIT)
    decoder_options = Path(f"{path}.decoder.yml")
    values = read_yaml(decoder_options) if decoder_options.is_file() else {}
    files = find_vocabularies(path, values, vocabularies)
    rows = weights.size(_source_name(weights), 0), weights.size(_target_name(weights), 0)
    source, source_notes = marian_vocabulary(files[0], rows[0], "source")
    target, target_notes = marian_vocabulary(files[1], rows[1], "target")
    model, state = _network(options, weights, source, target)
    weights.check()
    joint = source.vocabulary.fingerprint == target.vocabulary.fingerprint
    version = str(options.get("version", "")).removeprefix("v").split()
    return ImportedModel(
        toolkit=" ".join([TOOLKIT, *version[:1]]),
        model=model,
        state=state,
        subwords=Subwords(source.vocabulary, source.vocabulary if joint else target.vocabulary, joint),
        search=_search(SourceOptions(values, path=decoder_options, toolkit=TOOLKIT)),
        notes=(*source_notes, *target_notes),
    )


def _arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    try:
        with open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except OSError as problem:
        raise DamagedSourceError(f"cannot read '{path}': {problem.strerror or problem}.", path=path) from None
    except (ValueError, EOFError, KeyError, AttributeError, zipfile.BadZipFile):
        raise DamagedSourceError(
            f"'{path}' cannot be read as a file of arrays (.npz): it is incomplete, damaged or a different kind of file; copy or "
            f"download it again.",
            path=path,
        ) from None


def _check_options(options: SourceOptions) -> None:
    options.choice("type", "amun", {"s2s": ""}, "the network type s2s")
    options.expect("enc-type", "bidirectional", "an encoder with two separate stacks of layers")
    options.expect("enc-cell-depth", 1, "cells with several transitions in the encoder")
    options.expect("dec-cell-base-depth", 2, "exactly two transitions of a step, with attention between them")
    options.expect("dec-cell-high-depth", 1, "cells with several transitions in upper layers")
    for name, needed in {
        "skip": "residual connections as in Marian",
        "layer-normalization": "cells, attention and output with layer normalization",
        "right-left": "translation from right to left",
        "ulr": "a universal lexical representation",
        "output-omit-bias": "an output without biases",
    }.items():
        options.expect(name, False, needed)
    for name in ("factors-dim-emb", "lemma-dim-emb"):
        options.expect(name, 0, "words with factors")


def _search(options: SourceOptions) -> dict[str, Any]:
    """Return the search that Marian's configuration for decoding asks for."""
    alpha = options.number("normalize", 0.0)
    penalty = {"length_penalty": "average", "alpha": alpha} if alpha else {"length_penalty": "none"}
    return {"beam_size": options.integer("beam-size", 12), **penalty}


def _source_name(weights: SourceWeights) -> str:
    return "Wemb" if "Wemb" in weights else "encoder_Wemb"


def _target_name(weights: SourceWeights) -> str:
    return "Wemb" if "Wemb" in weights else "decoder_Wemb"


def _network(
    options: SourceOptions, weights: SourceWeights, source: ImportedVocabulary, target: ImportedVocabulary
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    cells = [options.choice(f"{side}-cell", "gru", CELLS, "this cell") for side in ("enc", "dec")]
    width, hidden = options.integer("dim-emb"), options.integer("dim-rnn")
    layers = options.integer("enc-depth", 1), options.integer("dec-depth", 1)
    all_tied = options.flag("tied-embeddings-all")
    tied = all_tied or options.flag("tied-embeddings")
    options.check()
    context = 2 * hidden
    source_rows = weights.take(_source_name(weights), len(source.tokens), width)
    target_rows = weights.take(_target_name(weights), len(target.tokens), width)
    prefix = "decoder_ff_logit_l"
    output = target_rows if tied else weights.take(f"{prefix}2_Wt", len(target.tokens), width)
    # The embedding, the state and the context, each with a bias of its own.
    readout = [
        weights.take(f"{prefix}1_W{number}", size, width).T
        for number, size in enumerate((width, hidden, context))
    ]
    biases = [weights.take(f"{prefix}1_b{number}", 1, width)[0] for number in range(3)]
    states = layers[1] * (2 if cells[1] == "lstm" else 1)
    state = {
        "encoder.embedding.weight": source.embeddings(source_rows),
        "target_embedding.weight": target.embeddings(target_rows),
        "output_weight": target.embeddings(output),
        "output_bias": target.output_biases(weights.take(f"{prefix}2_b", 1, len(target.tokens))[0]),
        **_encoder(weights, cells[0], layers[0], width, hidden),
        **_decoder(weights, cells[1], layers[1], width, hidden),
        "decoder.attention.query.weight": weights.take("decoder_W_comb_att", hidden, context).T.contiguous(),
        "decoder.attention.key.weight": weights.take("decoder_Wc_att", context, context).T.contiguous(),
        "decoder.attention.bias": weights.take("decoder_b_att", 1, context)[0],
        "decoder.attention.vector": weights.take("decoder_U_att", context, 1)[:, 0],
        "decoder.readout.weight": torch.cat([readout[1], readout[2], readout[0]], 1),
        "decoder.readout.bias": torch.stack(biases).sum(0),
        # All states of all layers begin with the same values.
        "decoder.bridge.projection.weight": weights.take("decoder_ff_state_W", context, hidden).T.repeat(
            states, 1
        ),
        "decoder.bridge.projection.bias": weights.take("decoder_ff_state_b", 1, hidden)[0].repeat(states),
    }
    model = {
        "embedding_size": width,
        "tied_embeddings": "all" if all_tied else "target" if tied else "none",
        "encoder": {"cell": cells[0], "layers": layers[0], "hidden_size": hidden},
        "decoder": {
            "cell": cells[1],
            "layers": layers[1],
            "hidden_size": hidden,
            "wiring": "conditional",
            "bridge": "mean",
        },
        "attention": {"name": "additive", "options": {"width": context, "bias": True}},
    }
    return model, state


def _encoder(weights: SourceWeights, cell: str, layers: int, width: int, hidden: int) -> dict[str, Tensor]:
    """Return the encoder's cells: each direction is a stack of its own, whose upper layers do not read the other one."""
    state: dict[str, Tensor] = {}
    for number in range(layers):
        size = hidden if number else width
        for side, (name, prefix) in enumerate(
            {"forward_cell": "encoder_bi_", "backward_cell": "encoder_bi_r_"}.items()
        ):
            prefix = f"{prefix}l{number + 1}_cell1_" if number else prefix
            parts = marian_cell(weights, prefix, cell=cell, input_size=size, hidden_size=hidden)
            if number:
                # The inputs are both directions; those of the other one have zeros.
                padding = (0, hidden) if side == 0 else (hidden, 0)
                parts["weight_ih"] = functional.pad(parts["weight_ih"], padding)
            state |= {f"encoder.layers.{number}.{name}.{part}": tensor for part, tensor in parts.items()}
    return state


def _decoder(weights: SourceWeights, cell: str, layers: int, width: int, hidden: int) -> dict[str, Tensor]:
    """Return the decoder's cells: the two transitions of the lowest layer, and upper ones, which read no context."""
    context = 2 * hidden
    first = marian_cell(weights, "decoder_cell1_", cell=cell, input_size=width, hidden_size=hidden)
    second = marian_cell(
        weights, "decoder_cell2_", cell=cell, input_size=context, hidden_size=hidden, later=True
    )
    state = {f"decoder.cells.0.{part}": tensor for part, tensor in first.items()}
    state |= {f"decoder.second.{part}": tensor for part, tensor in second.items()}
    for number in range(1, layers):
        prefix = f"decoder_l{number + 1}_cell1_"
        parts = marian_cell(weights, prefix, cell=cell, input_size=hidden, hidden_size=hidden)
        # This program's upper layers read the context, too: with zeros.
        parts["weight_ih"] = functional.pad(parts["weight_ih"], (0, context))
        state |= {f"decoder.cells.{number}.{part}": tensor for part, tensor in parts.items()}
    return state
