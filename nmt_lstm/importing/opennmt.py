"""Recurrent models of OpenNMT-py 3 (Klein et al. 2017): a checkpoint, perhaps with its weights in safetensors files."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from nmt_lstm.importing.errors import DamagedSourceError
from nmt_lstm.importing.global_attention import ATTENTIONS, CELLS, GlobalAttentionNetwork
from nmt_lstm.importing.imported_model import ImportedModel
from nmt_lstm.importing.source_options import SourceOptions
from nmt_lstm.importing.source_weights import SourceWeights
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

__all__ = ["import_opennmt", "is_opennmt", "read_safetensors", "tokens_vocabulary"]

TOOLKIT = "OpenNMT-py"
EMBEDDINGS = "{side}.embeddings.make_embedding.emb_luts.0.weight"


def is_opennmt(path: Path) -> bool:
    """Whether a path is a checkpoint of PyTorch."""
    return path.is_file() and path.suffix == ".pt"


def import_opennmt(path: Path, vocabularies: Sequence[Path] = ()) -> ImportedModel:
    """Return the model in a checkpoint.

    Args:
        path: the checkpoint, ``*.pt``.
        vocabularies: SentencePiece models that split the text: one, or source and target.

    Raises:
        ImportingError: files are missing or damaged, or parts of the model cannot be expressed.
    """
    checkpoint = read_torch_file(path)
    opt, vocab = checkpoint.get("opt"), checkpoint.get("vocab")
    if not isinstance(opt, argparse.Namespace) or not isinstance(vocab, dict):
        raise DamagedSourceError(
            f"'{path}' has no options and vocabularies; is it a checkpoint of OpenNMT-py 3?", path=path
        )
    options = SourceOptions(vars(opt), path=path, toolkit=TOOLKIT)
    network = _network(options)
    if "src_feats" in vocab:
        options.refuse("n_src_feats", "an encoder that reads features of words")
    options.check()
    tensors = _tensors(checkpoint, path)
    weights = SourceWeights(tensors, path=path, toolkit=TOOLKIT)
    specials = vocab.get("decoder_start_token", "<s>")
    source, source_notes = tokens_vocabulary(vocab.get("src"), path, "source", vocabularies[:1])
    target, target_notes = tokens_vocabulary(
        vocab.get("tgt"), path, "target", vocabularies[-1:], begin=specials
    )
    sizes = len(source.tokens), len(target.tokens)
    embeddings = (
        weights.take(EMBEDDINGS.format(side="encoder"), sizes[0], network.source_size),
        weights.take(EMBEDDINGS.format(side="decoder"), sizes[1], network.target_size),
    )
    output = (
        weights.take("generator.weight", sizes[1], network.hidden_size),
        weights.take("generator.bias", sizes[1]),
    )
    state = network.state(weights, embeddings, output, (source, target))
    weights.check()
    joint = source.vocabulary.fingerprint == target.vocabulary.fingerprint
    return ImportedModel(
        toolkit=f"{TOOLKIT} 3",
        model=network.settings(),
        state=state,
        subwords=Subwords(source.vocabulary, source.vocabulary if joint else target.vocabulary, joint),
        notes=(*source_notes, *target_notes),
    )


def _network(options: SourceOptions) -> GlobalAttentionNetwork:
    encoder = options.choice(
        "encoder_type", "rnn", {"rnn": "unidirectional", "brnn": "bidirectional"}, "a recurrent encoder"
    )
    options.choice("decoder_type", "rnn", {"rnn": ""}, "a recurrent decoder")
    options.choice("model_task", "seq2seq", {"seq2seq": ""}, "a translation model")
    cell = options.choice("rnn_type", "LSTM", CELLS, "this cell")
    attention = options.choice("global_attention", "general", ATTENTIONS, "a decoder without attention")
    options.expect("global_attention_function", "softmax", "sparse attention weights")
    options.expect("generator_function", "softmax", "a sparse output")
    options.expect("copy_attn", False, "an output that copies source words")
    options.expect("coverage_attn", False, "attention with OpenNMT's coverage")
    options.expect("bridge", False, "a bridge of OpenNMT, with ReLU over all layers")
    options.expect("position_encoding", False, "embeddings with positions")
    options.expect("n_src_feats", 0, "an encoder that reads features of words")
    options.expect("lora_layers", [], "the weights after merging LoRA (onmt_lora_weights)")
    options.expect("quant_layers", [], "weights that are not quantised")
    if options.get("context_gate") is not None:
        options.refuse("context_gate", "a gate between source and target contexts")
    hidden_size = options.integer("enc_hid_size", 500)
    if hidden_size != options.integer("dec_hid_size", 500):
        options.refuse("dec_hid_size", "an encoder and a decoder of the same size")
    layers = options.integer("enc_layers", 2)
    if layers != options.integer("dec_layers", 2):
        options.refuse("dec_layers", "as many layers in the decoder as in the encoder")
    return GlobalAttentionNetwork(
        cell=cell,
        attention=attention,
        bidirectional=encoder == "bidirectional",
        layers=layers,
        hidden_size=hidden_size,
        source_size=options.integer("src_word_vec_size", 500),
        target_size=options.integer("tgt_word_vec_size", 500),
        feeds=options.get("input_feed", 1) == 1,
        shared=options.flag("share_embeddings"),
        shared_output=options.flag("share_decoder_embeddings"),
        dropout=options.number("dropout", 0.3),
    )


def _tensors(checkpoint: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    if isinstance(checkpoint.get("model"), dict) and isinstance(checkpoint.get("generator"), dict):
        # Version 2 has the output layer in a sequence of modules.
        output = {
            f"generator.{name.removeprefix('0.')}": tensor for name, tensor in checkpoint["generator"].items()
        }
        return {**checkpoint["model"], **output}
    files = sorted(
        file
        for file in path.parent.iterdir()
        if file.suffix == ".safetensors" and file.name.startswith(f"{path.stem}.")
    )
    if not files:
        raise DamagedSourceError(
            f"'{path}' has no weights, and there is no '{path.stem}.safetensors' beside it.", path=path
        )
    return {name: tensor for file in files for name, tensor in read_safetensors(file).items()}


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors in a safetensors file.

    Raises:
        DamagedSourceError: it is not such a file.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as problem:
        raise DamagedSourceError(
            f"'{path}' is not a complete safetensors file: {problem}.", path=path
        ) from None


def tokens_vocabulary(
    tokens: object, path: Path, side: str, models: Sequence[Path], *, begin: str = "<s>"
) -> tuple[ImportedVocabulary, list[str]]:
    """Return a vocabulary that a checkpoint has as a list of tokens, and what a user must know about it.

    Args:
        tokens: the list.
        path: the file that has it.
        side: "source" or "target".
        models: the SentencePiece model that splits the text, if one is given.
        begin: the token that translations begin with.

    Raises:
        DamagedSourceError: it is not a list of texts, or lacks tokens that are needed.
    """
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise DamagedSourceError(
            f"'{path}' has no list of {side} tokens; is it a checkpoint of version 3?", path=path
        )
    rows = {token: row for row, token in reversed([*enumerate(tokens)])}
    missing = [name for name in ("<unk>", "</s>", begin) if name not in rows]
    if missing:
        raise DamagedSourceError(
            f"'{path}': the {side} vocabulary has no {' and '.join(missing)}.", path=path, value=missing
        )
    pad = rows.get("<blank>", rows.get("<pad>"))
    special = SpecialRows(unknown=rows["<unk>"], end=rows["</s>"], begin=rows[begin], pad=pad)
    if models:
        return with_model(read_model(models[0]), tokens, special), []
    vocabulary = listed(tokens, special)
    return vocabulary, splitting_notes(side, vocabulary, tokens)
