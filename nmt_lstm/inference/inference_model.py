"""A trained network prepared for inference: the same parts, their products folded, packed or quantised.

Shapes: B sentences, R rows (sentences x hypotheses), S source, C candidates, E output width, V vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.cells.cell import Cell
from nmt_lstm.inference.projected_context import split_readout
from nmt_lstm.inference.shortlist import Candidates, Shortlist
from nmt_lstm.model.decoder import Decoder, DecoderState
from nmt_lstm.model.embedding import PieceEmbedding
from nmt_lstm.model.encoder import Encoded, Encoder
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.model.step import Step
from nmt_lstm.numerics.inference_linear import InferenceLinear, InferencePrecision, inference_linear
from nmt_lstm.numerics.piece_table import DTYPES
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["InferenceEncoding", "InferenceModel", "InferenceState", "prepare_for_inference"]

# Tables of input products may take so much memory, in bytes; cells whose table does not fit keep their product.
LARGEST_TABLES = 192 << 20


class InferenceEncoding(NamedTuple):
    """What is known of source sentences before the first piece."""

    encoded: Encoded
    candidates: Candidates | None


class InferenceState(NamedTuple):
    """The decoder's state, and the pieces that it may choose from; None is all."""

    decoder: DecoderState
    candidates: Candidates | None


class InferenceModel(nn.Module):
    """An encoder-decoder for search alone: `Searchable`.

    Args:
        encoder: reads the source.
        target_embedding: pieces (R, 1) to what the decoder's `step` reads: vectors (R, 1, I), or the pieces themselves.
        decoder: reads the target.
        output: the decoder's outputs (R, E) to logits (R, V).
        shortlist: chooses each sentence's pieces; without it, all are scored.
    """

    def __init__(
        self,
        *,
        encoder: Encoder,
        target_embedding: nn.Module,
        decoder: Decoder,
        output: InferenceLinear,
        shortlist: Shortlist | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.target_embedding = target_embedding
        self.decoder = decoder
        self.output = output
        self.shortlist = shortlist

    def pack(self) -> InferenceModel:
        """Put all weights into their layouts, once; return the model."""
        for module in self.modules():
            if isinstance(module, InferenceLinear) and not (module is self.output and self.shortlist):
                module.pack()
        return self

    def with_shortlist(self, shortlist: Shortlist | None) -> InferenceModel:
        """Return a model of the same parts with another shortlist, or with none."""
        return InferenceModel(
            encoder=self.encoder,
            target_embedding=self.target_embedding,
            decoder=self.decoder,
            output=self.output,
            shortlist=shortlist,
        )

    def encode(self, source: SourceBatch) -> InferenceEncoding:
        """Read source sentences."""
        candidates = None if self.shortlist is None else self.shortlist(source, self.output)
        return InferenceEncoding(self.encoder(source), candidates)

    def start(self, encoded: InferenceEncoding) -> InferenceState:
        """Return the state before the first piece, one row per sentence."""
        return InferenceState(self.decoder.start(encoded.encoded), encoded.candidates)

    def step(self, previous: Tensor, state: InferenceState) -> Step[InferenceState]:
        """Read the previous pieces (R,) and score the next ones."""
        embedded = self.target_embedding(previous[:, None])[:, 0]
        output, attention, after = self.decoder.step(embedded, state.decoder)
        candidates = state.candidates
        if candidates is None:
            return Step(self.output(output), attention, InferenceState(after, None))
        logits = candidates.output(output)
        sentences, count = candidates.penalties.shape
        logits = (logits.view(sentences, -1, count) + candidates.penalties[:, None]).view(-1, count)
        return Step(logits, attention, InferenceState(after, candidates), candidates.pieces)

    def reorder(self, state: InferenceState, rows: Tensor, sentences: Tensor | None = None) -> InferenceState:
        """Return the state of the rows (R',), sentence by sentence; `sentences` (S') are those that stay, or None."""
        candidates = state.candidates
        if candidates is not None and sentences is not None:
            penalties = candidates.penalties.index_select(0, sentences)
            candidates = candidates._replace(penalties=penalties)
        return InferenceState(self.decoder.reorder(state.decoder, rows, sentences), candidates)


class _Pieces(nn.Module):
    """Stands for the embedding before cells that read pieces."""

    def forward(self, pieces: Tensor) -> Tensor:
        """Return the pieces."""
        return pieces


@torch.no_grad()
def prepare_for_inference(
    model: Seq2Seq, precision: InferencePrecision = "float32", *, with_tables: bool = True
) -> InferenceModel:
    """Return a copy of a network for inference on a processor; weights that stay as they are are shared, not copied.

    Stock layers and cells compute in the precision, as far as each cell's `prepare_for_inference` can. Where cells alone
    read the embeddings (the encoder's first layer, and the decoder's in the GNMT wiring), tables take the place of their
    products with the input, up to `LARGEST_TABLES` bytes. Where the readout alone reads the contexts, they are projected
    once per source position. Everything else stays in float32.

    Args:
        model: in evaluation mode; it is left as it is.
        precision: of the products.
        with_tables: compute the tables; otherwise they are on the "meta" device, to be loaded.
    """
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    model = copy.deepcopy(model, shared).eval()
    encoder, decoder = model.encoder, model.decoder
    tables = _Tables(precision, computed=with_tables)
    # The decoder's table comes first: it is read in each step, those of the encoder once per sentence.
    target_embedding: nn.Module = model.target_embedding
    if decoder.first_cell_alone_reads_embeddings:
        target_embedding = tables.replace(model.target_embedding, decoder.cells, ["0"])
    if isinstance(encoder.embedding, PieceEmbedding):
        first = encoder.layers[0]
        directions = [name for name, _ in first.named_children()]
        encoder.embedding = tables.replace(encoder.embedding, first, directions)
    readout = decoder.readout
    if decoder.readout_alone_reads_contexts and decoder.attention.sums_values and type(readout) is Linear:
        decoder.attention, decoder.readout = split_readout(decoder.attention, readout, precision)
    for part in (encoder, decoder):
        _prepare_children(part, precision)
    # The decoder's output is a tanh.
    output = inference_linear(model.output_weight, model.output_bias, precision, bounded=True)
    return InferenceModel(encoder=encoder, target_embedding=target_embedding, decoder=decoder, output=output)


class _Tables:
    """Tables of input products in one precision, as long as there is memory for them."""

    def __init__(self, precision: InferencePrecision, *, computed: bool) -> None:
        self.precision = precision
        self.computed = computed
        self.left = LARGEST_TABLES

    def replace(self, embedding: PieceEmbedding, owner: nn.Module, names: Sequence[str]) -> nn.Module:
        """Let cells read pieces in place of embeddings, if tables of all of them fit; return what then embeds pieces.

        Args:
            embedding: of the pieces.
            owner: the module that the cells are children of; they are replaced in it.
            names: of the cells there.
        """
        cells = {name: cast(Cell, owner.get_submodule(name)) for name in names}
        widths = [cell.piece_table_width for cell in cells.values()]
        needed = len(embedding.weight) * sum(widths) * DTYPES[self.precision].itemsize
        if not all(widths) or needed > self.left:
            return embedding
        self.left -= needed
        vectors = self._vectors(embedding)
        for name, cell in cells.items():
            setattr(owner, name, cell.prepare_for_pieces(vectors, self.precision))
        return _Pieces()

    def _vectors(self, embedding: PieceEmbedding) -> Tensor:
        """Return what the embedding makes of every piece, (V, I)."""
        weight = embedding.weight
        if not self.computed:
            return torch.empty_like(weight, device="meta")
        vectors: Tensor = embedding(torch.arange(len(weight), device=weight.device)[None])[0]
        return vectors


def _prepare_children(module: nn.Module, precision: InferencePrecision) -> None:
    """Put prepared cells and stock layers in their places, but for layers inside of cells, which use them as they like."""
    for name, child in module.named_children():
        if isinstance(child, Cell):
            setattr(module, name, child.prepare_for_inference(precision))
        elif type(child) is Linear:
            # A list's layers have been left alone since folders are exported: their names there are those of `Linear`.
            if not isinstance(module, nn.ModuleList):
                setattr(module, name, inference_linear(child.weight, child.bias, precision))
        else:
            _prepare_children(child, precision)
