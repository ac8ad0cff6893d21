"""A trained network prepared for inference: the same modules, their matrix products folded, packed or quantized.

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
from nmt_lstm.encoders.recurrent import RecurrentEncoder
from nmt_lstm.inference.projected_context import split_readout
from nmt_lstm.inference.shortlist import Candidates, Shortlist
from nmt_lstm.model.decoder import Decoder, DecoderState
from nmt_lstm.model.embedding import PieceEmbedding
from nmt_lstm.model.encoder import Encoded, SourceEncoder
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.model.step import Step
from nmt_lstm.numerics.inference_linear import InferenceLinear, InferencePrecision, inference_linear
from nmt_lstm.numerics.piece_table import DTYPES
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = [
    "InferenceEncoding",
    "InferenceModel",
    "InferenceState",
    "PieceTables",
    "prepare_children",
    "prepare_for_inference",
]

# Memory for tables of input products, in bytes; cells whose table does not fit compute their product instead.
LARGEST_TABLES = 192 << 20


class InferenceEncoding(NamedTuple):
    """Encoded source sentences, and the pieces that their translations may consist of; None is all."""

    encoded: Encoded
    candidates: Candidates | None


class InferenceState(NamedTuple):
    """The decoder's state, and the pieces that may follow; None is all."""

    decoder: DecoderState
    candidates: Candidates | None


class InferenceModel(nn.Module):
    """An encoder-decoder that only search uses; implements `Searchable`.

    Args:
        encoder: reads the source.
        target_embedding: maps pieces (R, 1) to the input of the decoder's `step`: vectors (R, 1, I), or the pieces themselves.
        decoder: reads the target.
        output: maps the decoder's outputs (R, E) to logits (R, V).
        shortlist: selects the candidate pieces of each sentence; without it, all are scored.
    """

    def __init__(
        self,
        *,
        encoder: SourceEncoder,
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
        """Convert all weights to the layouts of their products, once, and return the model."""
        for module in self.modules():
            if isinstance(module, InferenceLinear) and not (module is self.output and self.shortlist):
                module.pack()
        return self

    def with_shortlist(self, shortlist: Shortlist | None) -> InferenceModel:
        """Return a model of the same modules with this shortlist, or without one."""
        return InferenceModel(
            encoder=self.encoder,
            target_embedding=self.target_embedding,
            decoder=self.decoder,
            output=self.output,
            shortlist=shortlist,
        )

    def encode(self, source: SourceBatch) -> InferenceEncoding:
        """Encode source sentences."""
        candidates = None if self.shortlist is None else self.shortlist(source, self.output)
        return InferenceEncoding(self.encoder(source), candidates)

    def start(self, encoded: InferenceEncoding) -> InferenceState:
        """Return the state before the first piece, one row per sentence."""
        return InferenceState(self.decoder.start(encoded.encoded), encoded.candidates)

    def step(self, previous: Tensor, state: InferenceState) -> Step[InferenceState]:
        """Read the previous pieces (R,) and score the next ones: logits (R, V), or (R, C) of the candidates."""
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
        """Return the state of rows (R',), grouped by sentence; `sentences` (B',) are the remaining ones, None for all."""
        candidates = state.candidates
        if candidates is not None and sentences is not None:
            penalties = candidates.penalties.index_select(0, sentences)
            candidates = candidates._replace(penalties=penalties)
        return InferenceState(self.decoder.reorder(state.decoder, rows, sentences), candidates)


class _NoEmbedding(nn.Module):
    """In place of the embedding of cells that read pieces."""

    def forward(self, pieces: Tensor) -> Tensor:
        """Return the pieces (R, T) unchanged."""
        return pieces


@torch.no_grad()
def prepare_for_inference(
    model: Seq2Seq, precision: InferencePrecision = "float32", *, with_tables: bool = True
) -> InferenceModel:
    """Return a copy of a network for inference on a processor; weights that do not change are shared, not copied.

    Linear layers and cells compute in the precision, as far as each cell's `prepare_for_inference` supports it. Where only
    cells read the embeddings (in the recurrent encoder's first layer, and in the decoder's with the GNMT wiring), tables replace
    their products with the input, up to `LARGEST_TABLES` bytes. Where only the readout reads the contexts, they are
    projected once per source position. Everything else stays in float32.

    Args:
        model: in evaluation mode; it is not changed.
        precision: of the products.
        with_tables: whether to compute the tables; otherwise they are on the "meta" device, to be loaded.
    """
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    model = copy.deepcopy(model, shared).eval()
    encoder, decoder = model.encoder, model.decoder
    tables = PieceTables(precision, computed=with_tables)
    # The decoder's table comes first: it is read in every step, those of the encoder once per sentence.
    target_embedding: nn.Module = model.target_embedding
    if decoder.first_cell_alone_reads_embeddings:
        target_embedding = tables.replace(model.target_embedding, decoder.cells, ["0"])
    # Other encoders read embeddings with more than cells.
    if isinstance(encoder.embedding, PieceEmbedding) and isinstance(encoder.layers, RecurrentEncoder):
        first = encoder.layers[0]
        directions = [name for name, _ in first.named_children()]
        encoder.embedding = tables.replace(encoder.embedding, first, directions)
    readout = decoder.readout
    if decoder.readout_alone_reads_contexts and decoder.attention.sums_values and type(readout) is Linear:
        decoder.attention, decoder.readout = split_readout(decoder.attention, readout, precision)
    prepare_children(encoder, precision, in_lists=True)
    prepare_children(decoder, precision)
    # What comes from a tanh is between -1 and 1.
    bounded = decoder.bounded_output
    output = inference_linear(model.output_weight, model.output_bias, precision, bounded=bounded)
    return InferenceModel(encoder=encoder, target_embedding=target_embedding, decoder=decoder, output=output)


class PieceTables:
    """Replaces embeddings by tables of input products in one precision, as long as memory for them remains."""

    def __init__(self, precision: InferencePrecision, *, computed: bool) -> None:
        self.precision = precision
        self.computed = computed
        self.remaining = LARGEST_TABLES

    def replace(self, embedding: PieceEmbedding, owner: nn.Module, names: Sequence[str]) -> nn.Module:
        """Let cells read pieces instead of embeddings, if tables for all of them fit, and return the module that embeds pieces.

        Args:
            embedding: of the pieces.
            owner: the parent module of the cells, in which they are replaced.
            names: of the cells in it.
        """
        cells = {name: cast(Cell, owner.get_submodule(name)) for name in names}
        widths = [cell.piece_table_width for cell in cells.values()]
        needed = len(embedding.weight) * sum(widths) * DTYPES[self.precision].itemsize
        if not all(widths) or needed > self.remaining:
            return embedding
        self.remaining -= needed
        vectors = self._vectors(embedding)
        for name, cell in cells.items():
            setattr(owner, name, cell.prepare_for_pieces(vectors, self.precision))
        return _NoEmbedding()

    def _vectors(self, embedding: PieceEmbedding) -> Tensor:
        """Return what the embedding makes of every piece, (V, I)."""
        weight = embedding.weight
        if not self.computed:
            return torch.empty_like(weight, device="meta")
        vectors: Tensor = embedding(torch.arange(len(weight), device=weight.device)[None])[0]
        return vectors


def prepare_children(module: nn.Module, precision: InferencePrecision, *, in_lists: bool = False) -> None:
    """Replace cells and linear layers by prepared ones, except layers inside cells, which may use them differently.

    Args:
        module: in which they are replaced.
        precision: of the prepared ones.
        in_lists: replace linear layers that are items of a list, too. Exported folders contain the weights of those in
            decoders under the names of `Linear`.
    """
    for name, child in module.named_children():
        if isinstance(child, Cell):
            setattr(module, name, child.prepare_for_inference(precision))
        elif type(child) is Linear:
            if in_lists or not isinstance(module, nn.ModuleList):
                setattr(module, name, inference_linear(child.weight, child.bias, precision))
        else:
            prepare_children(child, precision, in_lists=in_lists)
