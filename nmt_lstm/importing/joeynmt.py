"""Recurrent models of JoeyNMT 2 (Kreutzer et al. 2019): the folder of a training run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nmt_lstm.importing.errors import DamagedSourceError
from nmt_lstm.importing.imported_model import ImportedModel
from nmt_lstm.importing.recurrent_weights import decoder_cells, encoder_cells
from nmt_lstm.importing.source_options import SourceOptions
from nmt_lstm.importing.source_weights import SourceWeights
from nmt_lstm.importing.text_files import read_list, read_yaml
from nmt_lstm.importing.torch_file import read_torch_file
from nmt_lstm.importing.vocabularies import (
    ImportedVocabulary,
    SpecialRows,
    listed,
    read_model,
    splitting_notes,
    with_model,
)
from nmt_lstm.text.subwords import Subwords

__all__ = ["import_joeynmt", "is_joeynmt"]

TOOLKIT = "JoeyNMT"
CONFIGURATION = "config.yaml"
CELLS = {"gru": "gru", "lstm": "lstm"}
SPECIAL = {"unk": "<unk>", "pad": "<pad>", "bos": "<s>", "eos": "</s>"}
"""Special symbols in the order of their ids, unless the configuration has others."""
ONLY_RECURRENT = "a recurrent network"


def is_joeynmt(path: Path) -> bool:
    """Whether a path is a folder of a training run, or a checkpoint in one."""
    folder = path if path.is_dir() else path.parent
    return (folder / CONFIGURATION).is_file() and (path.is_dir() or path.suffix == ".ckpt")


def import_joeynmt(path: Path, vocabularies: Sequence[Path] = ()) -> ImportedModel:
    """Return the model of a training run, by default the best one.

    Args:
        path: the folder, or a checkpoint in it.
        vocabularies: SentencePiece models, instead of those that the configuration names: one, or source and target.

    Raises:
        ImportingError: files are missing or damaged, or parts of the model cannot be expressed.
    """
    folder = path if path.is_dir() else path.parent
    options = SourceOptions(read_yaml(folder / CONFIGURATION), path=folder / CONFIGURATION, toolkit=TOOLKIT)
    _check_options(options)
    files = _given(vocabularies)
    source, source_notes = _vocabulary(options, folder, "src", "source", files[0])
    target, target_notes = _vocabulary(options, folder, "trg", "target", files[1])
    options.check()
    checkpoint = _checkpoint(path)
    tensors = read_torch_file(checkpoint).get("model_state")
    if not isinstance(tensors, dict):
        raise DamagedSourceError(
            f"'{checkpoint}' has no model_state; is it a checkpoint of JoeyNMT?", path=checkpoint
        )
    weights = SourceWeights(tensors, path=checkpoint, toolkit=TOOLKIT)
    joint = source.vocabulary.fingerprint == target.vocabulary.fingerprint
    model, state = _network(options, weights, source, target, joint=joint)
    weights.check()
    version = options.get("joeynmt_version", "")
    return ImportedModel(
        toolkit=f"{TOOLKIT} {version}".strip(),
        model=model,
        state=state,
        subwords=Subwords(source.vocabulary, source.vocabulary if joint else target.vocabulary, joint),
        search=_search(options),
        languages=(str(options.get("data.src.lang", "")), str(options.get("data.trg.lang", ""))),
        notes=(*source_notes, *target_notes),
    )


def _given(vocabularies: Sequence[Path]) -> tuple[Path | None, Path | None]:
    return (vocabularies[0], vocabularies[-1]) if vocabularies else (None, None)


def _check_options(options: SourceOptions) -> None:
    options.expect("model.encoder.type", "recurrent", ONLY_RECURRENT)
    if options.get("model.decoder.type", "transformer") != "recurrent":
        options.refuse("model.decoder.type", ONLY_RECURRENT, options.get("model.decoder.type", "transformer"))
    options.expect("model.decoder.activation", "tanh", "a bridge with this activation")
    if not options.flag("model.encoder.bidirectional", default=True):
        options.refuse(
            "model.encoder.bidirectional", "an encoder of both directions, which JoeyNMT itself reads"
        )
    special = options.get("data.special_symbols", {})
    if special.get("sep_token") or special.get("lang_tags"):
        options.refuse(
            "data.special_symbols", "prompts and language tags of JoeyNMT 2.3", "sep_token or lang_tags"
        )


def _search(options: SourceOptions) -> dict[str, Any]:
    """Return the search that the run tests with; JoeyNMT's length penalty is that of Wu et al. (2016)."""
    alpha = options.get("testing.beam_alpha", -1)
    penalty = {"length_penalty": "wu", "alpha": float(alpha)} if alpha > 0 else {"length_penalty": "none"}
    return {"beam_size": options.integer("testing.beam_size", 1), **penalty}


def _checkpoint(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in ("best.ckpt", "latest.ckpt"):
        if (path / name).exists():
            return path / name
    raise DamagedSourceError(
        f"'{path}' has neither best.ckpt nor latest.ckpt; name the checkpoint itself, such as '{path}/1000.ckpt'.",
        path=path,
    )


def _vocabulary(
    options: SourceOptions, folder: Path, side: str, name: str, model: Path | None
) -> tuple[ImportedVocabulary, list[str]]:
    path = folder / f"{side}_vocab.txt"
    tokens = read_list(path)
    rows = _special_rows(options, tokens, path)
    key = f"data.{side}"
    level, kind = options.get(f"{key}.level", "word"), options.get(f"{key}.tokenizer_type", "")
    notes = [
        f"{name} text must be changed as in training: {key}.{change} = true."
        for change in ("lowercase", "normalize")
        if options.flag(f"{key}.{change}")
    ]
    if options.get(f"{key}.tokenizer_cfg.pretokenizer", "none") != "none":
        notes.append(f"{name} text must be split into words by Moses' tokenizer, as in training.")
    if level == "char":
        return listed(tokens, rows, by_character=True), notes
    if level == "bpe" and kind == "sentencepiece":
        file = model or _model_file(options, folder, key)
        return with_model(read_model(file), tokens, rows, restricted=True), notes
    if model is not None:
        return with_model(read_model(model), tokens, rows), notes
    vocabulary = listed(tokens, rows)
    return vocabulary, [*notes, *splitting_notes(name, vocabulary, tokens)]


def _special_rows(options: SourceOptions, tokens: Sequence[str], path: Path) -> SpecialRows:
    special = options.get("data.special_symbols", {})
    rows = {}
    for number, (name, text) in enumerate(SPECIAL.items()):
        row, token = special.get(f"{name}_id", number), special.get(f"{name}_token", text)
        if tokens[row : row + 1] != [token]:
            raise DamagedSourceError(
                f"'{path}' has no {token} in line {row + 1}; is it the vocabulary of this run?",
                path=path,
                value=token,
            )
        rows[name] = row
    return SpecialRows(unknown=rows["unk"], end=rows["eos"], begin=rows["bos"], pad=rows["pad"])


def _model_file(options: SourceOptions, folder: Path, key: str) -> Path:
    named = Path(str(options.get(f"{key}.tokenizer_cfg.model_file", "")))
    copy = folder / named.name
    # JoeyNMT copies it into the folder of the run, which may have moved since.
    return copy if copy.is_file() else named


def _network(
    options: SourceOptions,
    weights: SourceWeights,
    source: ImportedVocabulary,
    target: ImportedVocabulary,
    *,
    joint: bool,
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    known = {"cell": CELLS, "attention": {"bahdanau": "additive", "luong": "bilinear"}}
    encoder, decoder = "model.encoder", "model.decoder"
    encoder_cell = options.choice(f"{encoder}.rnn_type", "gru", known["cell"], "this cell")
    decoder_cell = options.choice(f"{decoder}.rnn_type", "gru", known["cell"], "this cell")
    attention = options.choice(f"{decoder}.attention", "bahdanau", known["attention"], "this attention")
    bridge = options.choice(
        f"{decoder}.init_hidden",
        "bridge",
        {"bridge": "learned", "last": "linear", "zero": "zero"},
        "this start",
    )
    tied, tied_output = options.flag("model.tied_embeddings"), options.flag("model.tied_softmax")
    feeds = options.flag(f"{decoder}.input_feeding", default=True)
    encoder_size, decoder_size = (
        options.integer(f"{encoder}.hidden_size"),
        options.integer(f"{decoder}.hidden_size"),
    )
    encoder_layers = options.integer(f"{encoder}.num_layers", 1)
    decoder_layers = options.integer(f"{decoder}.num_layers", 1)
    source_size = options.integer(f"{encoder}.embeddings.embedding_dim", 64)
    target_side = encoder if tied else decoder
    target_size = options.integer(f"{target_side}.embeddings.embedding_dim", 64)
    scales = [
        math.sqrt(size) if options.flag(f"{side}.embeddings.scale") else 1.0
        for side, size in ((encoder, source_size), (target_side, target_size))
    ]
    options.check()

    width = max(source_size, target_size)
    rows = len(source.tokens), len(target.tokens)
    source_rows = weights.take("src_embed.lut.weight", rows[0], source_size)
    target_rows = weights.take("trg_embed.lut.weight", rows[1], target_size)
    output = weights.take("decoder.output_layer.weight", rows[1], decoder_size)
    state = {
        "encoder.embedding.weight": _embedding(source, source_rows, scales[0], width),
        "target_embedding.weight": _embedding(target, target_rows, scales[1], width),
        "output_weight": target.embeddings(output),
        # JoeyNMT's output layer has no biases.
        "output_bias": target.output_biases(torch.zeros(rows[1])),
        **encoder_cells(
            weights,
            "encoder.rnn.",
            cell=encoder_cell,
            layers=encoder_layers,
            bidirectional=True,
            input_size=source_size,
            hidden_size=encoder_size,
            embedding_size=width,
        ),
        **decoder_cells(
            weights,
            lambda layer, part: f"decoder.rnn.{part}_l{layer}",
            cell=decoder_cell,
            layers=decoder_layers,
            input_size=target_size,
            feed_size=decoder_size if feeds else 0,
            hidden_size=decoder_size,
            embedding_size=width,
        ),
        "decoder.readout.weight": weights.take(
            "decoder.att_vector_layer.weight", decoder_size, decoder_size + 2 * encoder_size
        ),
        "decoder.readout.bias": weights.take("decoder.att_vector_layer.bias", decoder_size),
        "decoder.attention.key.weight": weights.take(
            "decoder.attention.key_layer.weight", decoder_size, 2 * encoder_size
        ),
    }
    if attention == "additive":
        query, energy = "decoder.attention.query_layer.weight", "decoder.attention.energy_layer.weight"
        state["decoder.attention.query.weight"] = weights.take(query, decoder_size, decoder_size)
        state["decoder.attention.vector"] = weights.take(energy, 1, decoder_size)[0]
    state |= _bridge(
        weights, bridge, decoder_size, 2 * encoder_size, decoder_layers * (2 if decoder_cell == "lstm" else 1)
    )
    share = "none"
    if tied_output and scales[1] == 1.0 and width == target_size == decoder_size:
        share = "all" if tied and joint and scales[0] == 1.0 else "target"
    model = {
        "embedding_size": width,
        "tied_embeddings": share,
        "dropout": options.number(f"{encoder}.dropout", 0.0),
        "encoder": {"cell": encoder_cell, "layers": encoder_layers, "hidden_size": encoder_size},
        "decoder": {
            "cell": decoder_cell,
            "layers": decoder_layers,
            "hidden_size": decoder_size,
            "wiring": "input_feeding" if feeds else "top",
            "bridge": bridge,
            "output_size": 0 if share != "none" else decoder_size,
        },
        "attention": {"name": attention},
    }
    return model, state


def _embedding(vocabulary: ImportedVocabulary, rows: Tensor, scale: float, width: int) -> Tensor:
    return functional.pad(vocabulary.embeddings(rows) * scale, (0, width - rows.shape[1]))


def _bridge(
    weights: SourceWeights, kind: str, size: int, summary_size: int, states: int
) -> dict[str, Tensor]:
    """Return the bridge's weights: all states of all layers begin with the same values."""
    if kind == "zero":
        return {}
    if kind == "learned":
        weight = weights.take("decoder.bridge_layer.weight", size, summary_size)
        bias = weights.take("decoder.bridge_layer.bias", size)
    else:
        # The first values of the summary: those of both directions, or of the forward one if the decoder is half as wide.
        weight, bias = torch.eye(size, summary_size), torch.zeros(size)
    return {
        "decoder.bridge.projection.weight": weight.repeat(states, 1),
        "decoder.bridge.projection.bias": bias.repeat(states),
    }
