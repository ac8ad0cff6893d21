"""Recurrent models of Eole, the successor of OpenNMT-py: a folder with config.json, vocab.json and weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from nmt_lstm.importing.errors import DamagedSourceError
from nmt_lstm.importing.global_attention import ATTENTIONS, CELLS, GlobalAttentionNetwork
from nmt_lstm.importing.imported_model import ImportedModel
from nmt_lstm.importing.opennmt import read_safetensors, tokens_vocabulary
from nmt_lstm.importing.source_options import SourceOptions
from nmt_lstm.importing.source_weights import SourceWeights
from nmt_lstm.importing.text_files import read_json
from nmt_lstm.text.subwords import Subwords

__all__ = ["import_eole", "is_eole"]

TOOLKIT = "Eole"
CONFIGURATION, VOCABULARY = "config.json", "vocab.json"
POSITIONS = "embeddings with positions, which Eole adds unless the option is null in training"
BATCH_NOTE = (
    "Eole's recurrent encoders read the padding of a batch; the translations here are those that Eole gives with "
    "batch_size 1."
)


def is_eole(path: Path) -> bool:
    """Whether a path is the folder of a model."""
    return path.is_dir() and (path / CONFIGURATION).is_file() and (path / VOCABULARY).is_file()


def import_eole(path: Path, vocabularies: Sequence[Path] = ()) -> ImportedModel:
    """Return the model in a folder.

    Args:
        path: the folder, such as ``step_50000``.
        vocabularies: SentencePiece models that split the text: one, or source and target.

    Raises:
        ImportingError: files are missing or damaged, or parts of the model cannot be expressed.
    """
    options = SourceOptions(read_json(path / CONFIGURATION), path=path / CONFIGURATION, toolkit=TOOLKIT)
    network = _network(options)
    files = sorted(path.glob("model*.safetensors"))
    if not files:
        raise DamagedSourceError(f"'{path}' has no weights, model.00.safetensors.", path=path)
    tensors = {name: tensor for file in files for name, tensor in read_safetensors(file).items()}
    if any(".pe." in name for name in tensors):
        # The type is often missing from the file, and then means these.
        kind = options.get("model.embeddings.position_encoding_type", "SinusoidalInterleaved")
        options.refuse("model.embeddings.position_encoding_type", POSITIONS, kind)
    options.check()
    # Shared weights are stored once.
    if (
        network.shared
        and "tgt_emb.embeddings.weight" not in tensors
        and "src_emb.embeddings.weight" in tensors
    ):
        tensors["tgt_emb.embeddings.weight"] = tensors["src_emb.embeddings.weight"]
    if network.shared_output and "generator.weight" not in tensors and "tgt_emb.embeddings.weight" in tensors:
        tensors["generator.weight"] = tensors["tgt_emb.embeddings.weight"]
    weights = SourceWeights(tensors, path=files[0], toolkit=TOOLKIT)
    vocab = read_json(path / VOCABULARY)
    begin = vocab.get("decoder_start_token", "<s>")
    source, source_notes = tokens_vocabulary(vocab.get("src"), path / VOCABULARY, "source", vocabularies[:1])
    target, target_notes = tokens_vocabulary(
        vocab.get("tgt"), path / VOCABULARY, "target", vocabularies[-1:], begin=begin
    )
    sizes = len(source.tokens), len(target.tokens)
    embeddings = (
        weights.take("src_emb.embeddings.weight", sizes[0], network.source_size),
        weights.take("tgt_emb.embeddings.weight", sizes[1], network.target_size),
    )
    has_biases = "generator.bias" in weights
    output = (
        weights.take("generator.weight", sizes[1], network.hidden_size),
        weights.take("generator.bias", sizes[1]) if has_biases else torch.zeros(sizes[1]),
    )
    state = network.state(weights, embeddings, output, (source, target))
    weights.check()
    joint = source.vocabulary.fingerprint == target.vocabulary.fingerprint
    return ImportedModel(
        toolkit=TOOLKIT,
        model=network.settings(),
        state=state,
        subwords=Subwords(source.vocabulary, source.vocabulary if joint else target.vocabulary, joint),
        notes=(*source_notes, *target_notes, BATCH_NOTE),
    )


def _network(options: SourceOptions) -> GlobalAttentionNetwork:
    encoder, decoder, embeddings = "model.encoder", "model.decoder", "model.embeddings"
    direction = options.choice(
        f"{encoder}.encoder_type",
        "rnn",
        {"rnn": "unidirectional", "brnn": "bidirectional"},
        "a recurrent encoder",
    )
    options.choice(f"{decoder}.decoder_type", "rnn", {"rnn": ""}, "a recurrent decoder")
    cell = options.choice(f"{encoder}.rnn_type", "LSTM", CELLS, "this cell")
    if cell != options.choice(f"{decoder}.rnn_type", "LSTM", CELLS, "this cell"):
        options.refuse(f"{decoder}.rnn_type", "the same cell in encoder and decoder")
    attention = options.choice(
        f"{decoder}.global_attention", "general", ATTENTIONS, "a decoder without attention"
    )
    options.expect(f"{decoder}.global_attention_function", "softmax", "sparse attention weights")
    options.expect(f"{decoder}.coverage_attn", False, "attention with Eole's coverage")
    options.expect("model.generator_function", "softmax", "a sparse output")
    if options.get(f"{decoder}.context_gate") is not None:
        options.refuse(f"{decoder}.context_gate", "a gate between source and target contexts")
    for side in (encoder, decoder):
        options.expect(f"{side}.bridge", False, "a bridge of Eole, with ReLU over all layers")
    options.expect(f"{embeddings}.position_encoding", False, "embeddings with positions")
    options.expect(f"{embeddings}.normalize", False, "embeddings that are scaled")
    options.expect(f"{embeddings}.embedding_type", "standard", "embeddings of this type")
    options.expect("training.quant_layers", [], "weights that are not quantised")
    options.expect("training.lora_layers", [], "the weights after merging LoRA")
    hidden_size, layers = options.integer(f"{encoder}.hidden_size"), options.integer(f"{encoder}.layers")
    if hidden_size != options.integer(f"{decoder}.hidden_size"):
        options.refuse(f"{decoder}.hidden_size", "an encoder and a decoder of the same size")
    if layers != options.integer(f"{decoder}.layers"):
        options.refuse(f"{decoder}.layers", "as many layers in the decoder as in the encoder")
    return GlobalAttentionNetwork(
        cell=cell,
        attention=attention,
        bidirectional=direction == "bidirectional",
        layers=layers,
        hidden_size=hidden_size,
        source_size=options.integer(f"{embeddings}.src_word_vec_size", 512),
        target_size=options.integer(f"{embeddings}.tgt_word_vec_size", 512),
        feeds=options.get("model.input_feed", 1) == 1,
        shared=options.flag("model.share_embeddings"),
        shared_output=options.flag("model.share_decoder_embeddings"),
        dropout=options.number("training.dropout", 0.3),
    )
