"""From settings to a network: the only reader of the model's settings and of the registries."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.attention.attention import Attention
from nmt_lstm.cells.cell import Cell
from nmt_lstm.config.schema import DecoderSettings, EncoderSettings, ModelSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.model.bridge import Bridge
from nmt_lstm.model.conditional import ConditionalDecoder
from nmt_lstm.model.decoder import Decoder
from nmt_lstm.model.dropout import Dropout
from nmt_lstm.model.embedding import PieceEmbedding
from nmt_lstm.model.encoder import Encoder, EncoderLayer
from nmt_lstm.model.gnmt import GnmtDecoder
from nmt_lstm.model.input_feeding import InputFeedingDecoder
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.numerics.sequence_linear import Linear
from nmt_lstm.registry import ATTENTIONS, CELLS

__all__ = ["build_model", "build_unweighted_model", "check_parts"]


def check_parts(model: ModelSettings) -> None:
    """Refuse unknown cells and attentions, and wrong options of theirs, before any text is read.

    Raises:
        PluginError: the message names what is known.
    """
    CELLS.check(model.encoder.cell, model.encoder.cell_options)
    CELLS.check(model.decoder.cell, model.decoder.cell_options)
    ATTENTIONS.check(model.attention.name, model.attention.options)


def build_model(
    model: ModelSettings, source_size: int, target_size: int, *, target_counts: Tensor | None = None
) -> Seq2Seq:
    """Return a network with freshly drawn weights; seed torch before for the same ones.

    Args:
        model: the settings.
        source_size: pieces of the source vocabulary.
        target_size: pieces of the target vocabulary.
        target_counts: (target_size,): how often each piece occurs among the labels of the training text. The output's
            biases then start at the logarithms of frequencies, and the first hundreds of steps go to what depends on the
            source; None starts them at 0.

    Raises:
        ConfigurationError: all embeddings are to be one, but the vocabularies are not.
        PluginError: a cell or attention is unknown or does not take its options.
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
    encoder = _encoder(model.encoder, source, width, dropout)
    network = Seq2Seq(
        encoder=encoder,
        target_embedding=target,
        decoder=_decoder(model, encoder, dropout),
        output_weight=target.weight if tied != "none" else _output_weight(target_size, width),
    )
    if target_counts is not None:
        network.output_bias.data.copy_(_log_frequencies(target_counts))
    return network


def build_unweighted_model(model: ModelSettings, source_size: int, target_size: int) -> Seq2Seq:
    """Return a network for saved weights to be loaded into: float32 on the processor, whatever torch's defaults are.

    Args:
        model: the settings.
        source_size: pieces of the source vocabulary.
        target_size: pieces of the target vocabulary.

    Raises:
        ConfigurationError: all embeddings are to be one, but the vocabularies are not.
        PluginError: a cell or attention is unknown or does not take its options.
    """
    # What is drawn here is overwritten, and a program that loads a model keeps its own random numbers.
    with torch.device("cpu"), torch.random.fork_rng(devices=[]):
        return build_model(model, source_size, target_size).float()


def _log_frequencies(counts: Tensor) -> Tensor:
    """Logarithms of frequencies, each count raised by one for the pieces that do not occur."""
    raised = counts.double() + 1.0
    return torch.log(raised / raised.sum())


def _output_weight(size: int, width: int) -> nn.Parameter:
    # As embeddings are drawn, so that tied and untied layers start alike. Without target_counts, the first steps push the
    # logits of pieces that do not occur down through the outputs, which may saturate them for good.
    return nn.Parameter(torch.randn(size, width) / width**0.5)


def _encoder(settings: EncoderSettings, embedding: PieceEmbedding, width: int, dropout: Dropout) -> Encoder:
    layers: list[EncoderLayer] = []
    for number in range(settings.layers):
        both = settings.directions == "bidirectional" or (settings.directions == "first" and number == 0)
        cells = [_cell(settings, width) for _ in range(1 + both)]
        layers.append(EncoderLayer(forward_cell=cells[0], backward_cell=cells[1] if both else None))
        width = layers[-1].output_size
    return Encoder(embedding=embedding, layers=layers, dropout=dropout, residual=settings.residual)


def _cell(settings: EncoderSettings | DecoderSettings, input_size: int) -> Cell:
    cell: Cell = CELLS.build(settings.cell, input_size, settings.hidden_size, options=settings.cell_options)
    return cell


def _decoder(model: ModelSettings, encoder: Encoder, dropout: Dropout) -> Decoder:
    settings, width = model.decoder, model.embedding_size
    # Only the width of the contexts decides the upper layers' inputs, and only the cells' output the queries.
    feeds = settings.wiring == "input_feeding"
    first = _cell(settings, 2 * width if feeds else width)
    attention: Attention = ATTENTIONS.build(
        model.attention.name,
        options=model.attention.options,
        query_size=first.output_size,
        memory_size=encoder.output_size,
    )
    context, top = attention.context_size, first.output_size
    upper = [_cell(settings, top if feeds else top + context) for _ in range(settings.layers - 1)]
    cells = [first, *upper]
    bridge = Bridge(
        summary_size=encoder.summary_size,
        state_sizes=[cell.bridge_sizes for cell in cells],
        learned=settings.bridge == "learned",
    )
    if settings.wiring == "conditional":
        return ConditionalDecoder(
            cells=cells,
            second=_cell(settings, context),
            attention=attention,
            bridge=bridge,
            readout=Linear(top + context + width, width),
            dropout=dropout,
            residual=settings.residual,
        )
    return {"gnmt": GnmtDecoder, "input_feeding": InputFeedingDecoder}[settings.wiring](
        cells=cells,
        attention=attention,
        bridge=bridge,
        readout=Linear(top + context, width),
        dropout=dropout,
        residual=settings.residual,
    )
