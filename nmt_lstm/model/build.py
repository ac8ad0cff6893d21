"""From settings to a network: the only module of this package that reads settings and the registries."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from nmt_lstm.attention.attention import Attention
from nmt_lstm.cells.cell import Cell
from nmt_lstm.config.schema import DecoderSettings, ModelSettings
from nmt_lstm.config.tasks import TASKS, TaskName, part_of
from nmt_lstm.config.wirings import WIRINGS, WiringName
from nmt_lstm.encoders.encoder import Encoder
from nmt_lstm.encoders.recurrent import RecurrentEncoder
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.model.bridge import Bridge, CopyBridge, MeanBridge
from nmt_lstm.model.classifier import Classifier
from nmt_lstm.model.decoder import Decoder
from nmt_lstm.model.dropout import Dropout
from nmt_lstm.model.embedding import PieceEmbedding
from nmt_lstm.model.encoder import SourceEncoder
from nmt_lstm.model.forecaster import ForecastNetwork, RowEmbedding
from nmt_lstm.model.language_model import LanguageModel, LanguageStack
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.model.trainable import Trainable
from nmt_lstm.registry import ATTENTIONS, CELLS, ENCODERS

__all__ = [
    "build_classifier",
    "build_forecaster",
    "build_language_model",
    "build_model",
    "build_network",
    "build_unweighted_model",
    "build_unweighted_network",
    "check_network",
]

FEW_PIECES = 300
"""Pieces of a vocabulary that is not used; one of labels has at least 263."""


def build_model(
    model: ModelSettings, source_size: int, target_size: int, *, target_counts: Tensor | None = None
) -> Seq2Seq:
    """Return a network with newly drawn weights; for reproducible ones, seed torch first.

    Args:
        model: the settings.
        source_size: number of pieces in the source vocabulary.
        target_size: number of pieces in the target vocabulary.
        target_counts: (target_size,): how often each piece occurs among the training labels. The output's biases then
            start at the logarithms of the frequencies, so that the first few hundred steps need not learn them; without
            counts they start at 0.

    Raises:
        ConfigurationError: all embeddings are tied, but the vocabularies differ in size.
        PluginError: an encoder, cell or attention is unknown or does not accept its options.
    """
    tied = model.tied_embeddings
    if tied == "all" and source_size != target_size:
        raise ConfigurationError(
            f'model.tied_embeddings = "all" needs one vocabulary for both languages, but they have {source_size:,} and '
            f'{target_size:,} pieces. Set subwords.joint = true, or model.tied_embeddings = "target".'
        )
    dropout = Dropout(model.dropout, variational=model.variational_dropout)
    width = model.embedding_size
    source = PieceEmbedding(source_size, width, dropout=dropout, word_dropout=model.word_dropout)
    target = PieceEmbedding(target_size, width, dropout=dropout, word_dropout=model.word_dropout)
    if tied == "all":
        target.weight = source.weight
    output_size = model.decoder.output_size or width
    if tied != "none" and output_size != width:
        raise ConfigurationError(
            f'model.tied_embeddings = "{tied}" needs an output as wide as the embeddings ({width}), but '
            f'model.decoder.output_size is {output_size}. Set it to 0, or model.tied_embeddings to "none".',
            key="model.decoder.output_size",
            value=output_size,
        )
    encoder = SourceEncoder(
        embedding=source,
        layers=_encoder(model, dropout),
        dropout=dropout,
        reads_end=model.source_end,
    )
    network = Seq2Seq(
        encoder=encoder,
        target_embedding=target,
        decoder=_decoder(model, encoder, dropout),
        output_weight=target.weight if tied != "none" else _output_weight(target_size, output_size),
    )
    if target_counts is not None:
        network.output_bias.data.copy_(_log_frequencies(target_counts))
    return network


def build_language_model(
    model: ModelSettings,
    source_size: int,  # noqa: ARG001 - called like `build_model`
    target_size: int,
    *,
    target_counts: Tensor | None = None,
) -> LanguageModel:
    """Return a language model with newly drawn weights: the decoder's layers, without attention.

    Args:
        model: the settings; those of encoder and attention are not used.
        source_size: not used: there is no source.
        target_size: number of pieces in the vocabulary.
        target_counts: as in `build_model`.

    Raises:
        PluginError: a cell is unknown or does not accept its options.
    """
    dropout = Dropout(model.dropout, variational=model.variational_dropout)
    width, settings = model.embedding_size, model.decoder
    embedding = PieceEmbedding(target_size, width, dropout=dropout, word_dropout=model.word_dropout)
    cells: list[Cell] = []
    for _ in range(settings.layers):
        cells.append(_cell(settings, cells[-1].output_size if cells else width))
    network = LanguageModel(
        target_embedding=embedding,
        stack=LanguageStack(cells=cells, output_size=width, dropout=dropout, residual=settings.residual),
        output_weight=embedding.weight
        if model.tied_embeddings != "none"
        else _output_weight(target_size, width),
    )
    if target_counts is not None:
        network.output_bias.data.copy_(_log_frequencies(target_counts))
    return network


def build_classifier(
    model: ModelSettings, source_size: int, target_size: int, *, target_counts: Tensor | None = None
) -> Classifier:
    """Return a classifier of texts with newly drawn weights: the encoder and a readout.

    Args:
        model: the settings; those of decoder and attention are not used.
        source_size: number of pieces in the vocabulary of the texts.
        target_size: number of pieces in the vocabulary of the labels.
        target_counts: as in `build_model`.

    Raises:
        PluginError: an encoder or a cell is unknown or does not accept its options.
    """
    dropout = Dropout(model.dropout, variational=model.variational_dropout)
    width = model.embedding_size
    embedding = PieceEmbedding(source_size, width, dropout=dropout, word_dropout=model.word_dropout)
    encoder = SourceEncoder(embedding=embedding, layers=_encoder(model, dropout), dropout=dropout)
    network = Classifier(encoder=encoder, output_size=width, target_size=target_size)
    if target_counts is not None:
        network.output_bias.data.copy_(_log_frequencies(target_counts))
    return network


def build_forecaster(
    model: ModelSettings,
    source_size: int,
    target_size: int,
    *,
    target_counts: Tensor | None = None,  # noqa: ARG001 - called like `build_model`
) -> ForecastNetwork:
    """Return a forecaster with newly drawn weights: the encoder over rows of numbers, and a readout.

    Args:
        model: the settings; those of decoder and attention are not used.
        source_size: number of columns.
        target_size: number of values to forecast.
        target_counts: not used: numbers have no frequencies.

    Raises:
        PluginError: an encoder or a cell is unknown or does not accept its options.
    """
    dropout = Dropout(model.dropout, variational=model.variational_dropout)
    width = model.embedding_size
    encoder = SourceEncoder(
        embedding=RowEmbedding(source_size, width, dropout=dropout),
        layers=_encoder(model, dropout),
        dropout=dropout,
    )
    return ForecastNetwork(encoder=encoder, output_size=width, target_size=target_size)


def build_network(
    task: TaskName,
    model: ModelSettings,
    source_size: int,
    target_size: int,
    *,
    target_counts: Tensor | None = None,
) -> Trainable:
    """Return the network of a task; the other arguments, and the errors, are those of `build_model`."""
    network: Trainable = part_of(TASKS[task].network)(
        model, source_size, target_size, target_counts=target_counts
    )
    return network


def build_unweighted_network(
    task: TaskName, model: ModelSettings, source_size: int, target_size: int
) -> Trainable:
    """Return the network of a task for saved weights to be loaded into; see `build_unweighted_model`."""
    # The weights drawn here are overwritten; a program that loads a model keeps its own sequence of random numbers.
    with torch.device("cpu"), torch.random.fork_rng(devices=[]):
        return build_network(task, model, source_size, target_size).float()


def check_network(task: TaskName, model: ModelSettings) -> Trainable:
    """Build a network with few pieces before any text is read, so that a mistake in its settings does not cost hours.

    Raises:
        ConfigurationError: settings contradict each other.
        PluginError: an encoder, cell or attention is unknown, or does not accept an option or its value.
    """
    return build_unweighted_network(task, model, FEW_PIECES, FEW_PIECES)


def build_unweighted_model(model: ModelSettings, source_size: int, target_size: int) -> Seq2Seq:
    """Return an encoder-decoder for saved weights to be loaded into: float32 on the CPU, whatever torch's defaults are.

    Args:
        model: the settings.
        source_size: number of pieces in the source vocabulary.
        target_size: number of pieces in the target vocabulary.

    Raises:
        ConfigurationError: all embeddings are tied, but the vocabularies differ in size.
        PluginError: an encoder, cell or attention is unknown or does not accept its options.
    """
    return cast(Seq2Seq, build_unweighted_network("translation", model, source_size, target_size))


def _log_frequencies(counts: Tensor) -> Tensor:
    """Return the logarithms of frequencies (V,) of counts (V,), with one added to each for the pieces that do not occur."""
    smoothed = counts.double() + 1.0
    return torch.log(smoothed / smoothed.sum())


def _output_weight(size: int, width: int) -> nn.Parameter:
    # Drawn like embeddings, so that tied and untied layers start alike. Without target_counts, the first steps lower the
    # logits of pieces that do not occur by changing the outputs, which may saturate them for good.
    return nn.Parameter(torch.randn(size, width) / width**0.5)


def _encoder(model: ModelSettings, dropout: Dropout) -> Encoder:
    settings, width = model.encoder, model.embedding_size
    if settings.is_recurrent:
        return RecurrentEncoder(
            width,
            dropout,
            cell=settings.cell,
            cell_options=settings.cell_options,
            layers=settings.layers,
            hidden_size=settings.hidden_size,
            directions=settings.directions,
            residual=settings.residual,
            keeps_states=model.decoder.bridge == "copy",
        )
    encoder: Encoder = ENCODERS.build(settings.name, width, dropout, options=settings.options)
    return encoder


def _cell(settings: DecoderSettings, input_size: int) -> Cell:
    cell: Cell = CELLS.build(settings.cell, input_size, settings.hidden_size, options=settings.cell_options)
    return cell


def _decoder(model: ModelSettings, encoder: SourceEncoder, dropout: Dropout) -> Decoder:
    settings, width = model.decoder, model.embedding_size
    wiring = _decoder_class(settings.wiring)
    make_cell = functools.partial(_cell, settings)
    # This order, because each part is drawn with torch's global random numbers: first cell, attention, upper cells, bridge.
    output_size = settings.output_size or width
    first = make_cell(wiring.first_input_size(width, output_size))
    attention: Attention = ATTENTIONS.build(
        model.attention.name,
        options=model.attention.options,
        query_size=first.output_size,
        memory_size=encoder.output_size,
    )
    upper_size = wiring.upper_input_size(first.output_size, attention.context_size)
    cells = [first, *(make_cell(upper_size) for _ in range(settings.layers - 1))]
    return wiring(
        cells=cells,
        make_cell=make_cell,
        attention=attention,
        bridge=_bridge(settings, encoder, cells),
        output_size=output_size,
        bounded_output=settings.output_activation == "tanh",
        dropout=dropout,
        residual=settings.residual,
    )


def _bridge(settings: DecoderSettings, encoder: SourceEncoder, cells: Sequence[Cell]) -> Bridge:
    if settings.bridge == "copy":
        sizes = [dict(cell.state_sizes) for cell in cells]
        last = [dict(layer) for layer in encoder.last_state_sizes]
        if sizes != last:
            raise ConfigurationError(
                f'model.decoder.bridge = "copy" needs layers with the same states in encoder and decoder, but they have '
                f"{_layers(last)} and {_layers(sizes)}. Change cells, layers or hidden_size (both directions count), or set "
                f'model.decoder.bridge = "learned".',
                key="model.decoder.bridge",
                value="copy",
            )
        return CopyBridge(state_sizes=sizes)
    state_sizes = [cell.bridge_sizes for cell in cells]
    if settings.bridge == "mean":
        return MeanBridge(summary_size=encoder.output_size, state_sizes=state_sizes)
    return Bridge(
        summary_size=encoder.summary_size,
        state_sizes=state_sizes,
        learned=settings.bridge != "zero",
        bounded=settings.bridge == "learned",
    )


def _layers(sizes: Sequence[Mapping[str, int]]) -> str:
    return (
        " / ".join(", ".join(f"{name} {width}" for name, width in layer.items()) for layer in sizes) or "none"
    )


def _decoder_class(wiring: WiringName) -> type[Decoder]:
    module, _, name = WIRINGS[wiring].decoder.partition(":")
    decoder: type[Decoder] = getattr(importlib.import_module(module), name)
    return decoder
