"""A trained network made ready for search: the same parts, their products folded, packed or quantised.

Shapes: R rows (sentences x hypotheses), V vocabulary.
"""

from __future__ import annotations

import copy
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.inference.frozen_cell import FrozenCell, can_freeze, freeze_cell
from nmt_lstm.inference.projected_context import ProjectedContextAttention, SplitReadout, can_project_contexts
from nmt_lstm.inference.shortlist import Candidates, Shortlist
from nmt_lstm.model.conditional import ConditionalDecoder
from nmt_lstm.model.decoder import Decoder, DecoderState
from nmt_lstm.model.embedding import PieceEmbedding
from nmt_lstm.model.encoder import Encoded, Encoder, EncoderLayer
from nmt_lstm.model.gnmt import GnmtDecoder
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.numerics.frozen_linear import FrozenLinear, FrozenPrecision, frozen_linear
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["FrozenEncoding", "FrozenModel", "FrozenState", "FrozenStep", "freeze"]

# Tables of input products may take so much memory; cells whose table does not fit any more keep their product.
LARGEST_TABLES = 192 << 20
BYTES_PER_VALUE: dict[FrozenPrecision, int] = {"float32": 4, "bf16": 2, "int8": 1}


class FrozenEncoding(NamedTuple):
    """What is known of source sentences before the first piece."""

    encoded: Encoded
    candidates: Candidates | None


class FrozenState(NamedTuple):
    """The decoder's state, and the pieces that it may choose from; None is all."""

    decoder: DecoderState
    candidates: Candidates | None


class FrozenStep(NamedTuple):
    """The outcome of one decoding step."""

    logits: Tensor
    """(R, C): unnormalised scores of each candidate as the next piece."""
    attention: Tensor
    """(R, S): weights paid for it."""
    state: FrozenState
    """The state after the step."""
    pieces: Tensor | None
    """(C,): the candidates; None where they are the vocabulary."""
    normalised: bool = False
    """Whether the logits are log-probabilities."""


class FrozenModel(nn.Module):
    """An encoder-decoder for search alone: `Searchable`.

    Args:
        encoder: reads the source.
        target_embedding: pieces (R, 1) to what the decoder's `step` reads, (R, 1, ...).
        decoder: reads the target.
        output: decoder outputs to logits.
        shortlist: chooses each sentence's pieces; without it, all are scored.
    """

    def __init__(
        self,
        *,
        encoder: Encoder,
        target_embedding: nn.Module,
        decoder: Decoder,
        output: FrozenLinear,
        shortlist: Shortlist | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.target_embedding = target_embedding
        self.decoder = decoder
        self.output = output
        self.shortlist = shortlist

    def pack(self) -> FrozenModel:
        """Put all weights into their layouts, once; return the model."""
        for module in self.modules():
            if isinstance(module, FrozenLinear) and not (module is self.output and self.shortlist):
                module.pack()
        return self

    def with_shortlist(self, shortlist: Shortlist | None) -> FrozenModel:
        """Return a model of the same parts with another shortlist, or with none."""
        return FrozenModel(
            encoder=self.encoder,
            target_embedding=self.target_embedding,
            decoder=self.decoder,
            output=self.output,
            shortlist=shortlist,
        )

    def encode(self, source: SourceBatch) -> FrozenEncoding:
        """Read source sentences."""
        candidates = None if self.shortlist is None else self.shortlist(source, self.output)
        return FrozenEncoding(self.encoder(source), candidates)

    def start(self, encoded: FrozenEncoding) -> FrozenState:
        """Return the state before the first piece, one row per sentence."""
        return FrozenState(self.decoder.start(encoded.encoded), encoded.candidates)

    def step(self, previous: Tensor, state: FrozenState) -> FrozenStep:
        """Read the previous pieces (R,) and score the next ones."""
        embedded = self.target_embedding(previous[:, None])[:, 0]
        output, attention, after = self.decoder.step(embedded, state.decoder)
        candidates = state.candidates
        if candidates is None:
            return FrozenStep(self.output(output), attention, FrozenState(after, None), None)
        logits = candidates.output(output)
        sentences, count = candidates.penalties.shape
        logits = (logits.view(sentences, -1, count) + candidates.penalties[:, None]).view(-1, count)
        return FrozenStep(logits, attention, FrozenState(after, candidates), candidates.pieces)

    def reorder(self, state: FrozenState, rows: Tensor, sentences: Tensor | None = None) -> FrozenState:
        """Return the state of the rows (R',), sentence by sentence; `sentences` (S') are those that stay, or None."""
        candidates = state.candidates
        if candidates is not None and sentences is not None:
            penalties = candidates.penalties.index_select(0, sentences)
            candidates = candidates._replace(penalties=penalties)
        return FrozenState(self.decoder.reorder(state.decoder, rows, sentences), candidates)


class _Pieces(nn.Module):
    """The embedding before a table: pieces are looked up by the cell."""

    def forward(self, pieces: Tensor) -> Tensor:
        """Return the pieces."""
        return pieces


@torch.no_grad()
def freeze(
    model: Seq2Seq, precision: FrozenPrecision = "float32", *, with_tables: bool = True
) -> FrozenModel:
    """Return a frozen copy of a network on a processor; weights that stay as they are are shared, not copied.

    Products of the stock layers and of every `GatedCell` that keeps the base's step are frozen; the input product of a
    cell that reads embeddings alone becomes a table (the encoder's first layer, and the decoder's in the GNMT wiring).
    Where the output layer alone reads the contexts, they are projected once per source position. Other cells and
    layers stay in float32.

    Args:
        model: in evaluation mode; it is left as it is.
        precision: of the products.
        with_tables: compute the tables; otherwise their values are anything, to be loaded.
    """
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    model = copy.deepcopy(model, shared).eval()
    tables = _Tables(precision, computed=with_tables)
    decoder, encoder = model.decoder, model.encoder
    embedding: nn.Module = model.target_embedding
    if type(decoder) is GnmtDecoder and tables.take(model.target_embedding, decoder.layers[:1]):
        decoder.cells[0] = tables.cell(decoder.layers[0], _vectors(model.target_embedding))
        embedding = _Pieces()
    _freeze_encoder(encoder, tables)
    for number, cell in enumerate(decoder.layers):
        decoder.cells[number] = tables.cell(cell)
    if isinstance(decoder, ConditionalDecoder):
        decoder.second = tables.cell(decoder.second)
    _project_contexts(decoder, precision)
    for part in (decoder.attention, decoder.bridge, decoder):
        _freeze_linear_children(part, precision)
    # The decoder's output is a tanh.
    output = frozen_linear(model.output_weight, model.output_bias, precision, bounded=True)
    return FrozenModel(encoder=encoder, target_embedding=embedding, decoder=decoder, output=output)


class _Tables:
    """Cells frozen in one precision, with tables as long as there is memory for them."""

    def __init__(self, precision: FrozenPrecision, *, computed: bool) -> None:
        self.precision = precision
        self.computed = computed
        self.left = LARGEST_TABLES

    def take(self, embedding: PieceEmbedding, cells: list[Cell]) -> bool:
        """Whether the input products of all these cells can be tables; if so, their memory is taken."""
        if not all(can_freeze(cell) for cell in cells):
            return False
        gated = [cell for cell in cells if isinstance(cell, GatedCell)]
        if any(cell.passes_input for cell in gated):
            return False
        size = BYTES_PER_VALUE[self.precision]
        needed = sum(len(embedding.weight) * cell.weight_ih.shape[0] * size for cell in gated)
        if needed > self.left:
            return False
        self.left -= needed
        return True

    def cell(self, cell: Cell, embedding: Tensor | None = None) -> Cell:
        """Return the cell frozen, if that can be."""
        if isinstance(cell, FrozenCell) or not can_freeze(cell):
            return cell
        assert isinstance(cell, GatedCell)
        return freeze_cell(cell, self.precision, embedding, with_table=self.computed)


def _freeze_encoder(encoder: Encoder, tables: _Tables) -> None:
    for number, layer in enumerate(cast(list[EncoderLayer], list(encoder.layers))):
        ahead, back = layer.forward_cell, layer.backward_cell
        weight = None
        cells = [ahead] if back is None else [ahead, back]
        embedding = encoder.embedding
        if number == 0 and isinstance(embedding, PieceEmbedding) and tables.take(embedding, cells):
            weight, encoder.embedding = _vectors(embedding), _Pieces()
        layer.forward_cell = tables.cell(ahead, weight)
        layer.backward_cell = None if back is None else tables.cell(back, weight)


def _vectors(embedding: PieceEmbedding) -> Tensor:
    """Return what the embedding makes of every piece, (V, width)."""
    weight = embedding.weight
    vectors: Tensor = embedding(torch.arange(len(weight), device=weight.device)[None])[0]
    return vectors


def _project_contexts(decoder: Decoder, precision: FrozenPrecision) -> None:
    only_reader = type(decoder) is GnmtDecoder and len(decoder.layers) == 1
    if not only_reader or not can_project_contexts(decoder.attention):
        return
    weight, bias = decoder.readout.weight, decoder.readout.bias
    outputs = weight.shape[1] - decoder.attention.context_size
    projection = frozen_linear(weight[:, outputs:].contiguous(), None, precision)
    readout = SplitReadout(frozen_linear(weight[:, :outputs].contiguous(), bias, precision))
    decoder.attention = ProjectedContextAttention(decoder.attention, projection)
    decoder.readout = readout  # type: ignore[assignment]


def _freeze_linear_children(module: nn.Module, precision: FrozenPrecision) -> None:
    """Freeze the stock linear layers of a module, but not those inside of cells, which may use them as they like."""
    for name, child in module.named_children():
        if type(child) is Linear:
            setattr(module, name, frozen_linear(child.weight, child.bias, precision))
        elif not isinstance(child, (Cell, nn.ModuleList)):
            _freeze_linear_children(child, precision)
