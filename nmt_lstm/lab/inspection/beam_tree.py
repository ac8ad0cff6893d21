"""The hypotheses of a beam search as a tree: what was kept, what was pruned, where hypotheses parted.

The search itself knows nothing of it: a model that stands between search and network notes what search asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.model.step import Step
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.hypotheses import Hypothesis
from nmt_lstm.search.searchable import Searchable
from nmt_lstm.text.special_pieces import BEGIN, END

__all__ = ["BeamTree", "Node", "search_tree"]


@dataclass
class Node:
    """A piece in the tree; the root is BEGIN."""

    piece: int
    parent: int
    """Index of the node before; -1 for the root."""
    depth: int
    """Number of pieces before it; 0 for the root."""
    log_probability: float
    """Natural logarithm of the probability of this piece after those before."""
    total: float
    """The same of all pieces up to this one."""
    fate: str
    """"kept" (continued by the search), "pruned" (among the best continuations of its parent, but not kept) or
    "finished" (the end of a translation)."""
    rank: int = field(default=0)
    """Place of a finished translation, 1 is the best; 0 for other nodes, and for ends that were not among the best."""


@dataclass(frozen=True)
class BeamTree:
    """All that a beam search looked at, for one sentence."""

    nodes: list[Node]
    hypotheses: list[Hypothesis]
    """The finished translations, best first."""
    beam_size: int


def search_tree(
    model: Searchable[Any, Any],
    source: SourceBatch,
    settings: SearchSettings,
    *,
    prefix: Sequence[int] = (),
    shown: int = 3,
) -> BeamTree:
    """Search for translations of one sentence and return the tree.

    Args:
        model: what to ask.
        source: a batch of one sentence.
        settings: of the search.
        prefix: pieces with which every translation must begin.
        shown: continuations of each kept node that are in the tree although they were pruned.

    Raises:
        ModelFolderError: the model's scores are not numbers.
    """
    watched = _Watched(model, list(prefix))
    with torch.no_grad():
        (found,) = beam_search(watched, source, settings, n_best=settings.beam_size)
    return BeamTree(_nodes(watched.steps, found, shown), found, settings.beam_size)


@dataclass(frozen=True)
class _NotedStep:
    previous: list[int]
    """The piece that each row read."""
    parents: list[int]
    """The row of the step before that each row continues."""
    log_probabilities: Tensor
    """(R, V) of the next piece."""


class _Watched:
    """A model as search sees it, which records each step and forces the prefix."""

    def __init__(self, model: Searchable[Any, Any], prefix: list[int]) -> None:
        self.steps: list[_NotedStep] = []
        self._model = model
        self._prefix = prefix
        self._rows: list[int] | None = None

    def encode(self, source: SourceBatch) -> Any:
        return self._model.encode(source)

    def start(self, encoded: Any) -> Any:
        return self._model.start(encoded)

    def reorder(self, state: Any, rows: Tensor, sentences: Tensor | None = None) -> Any:
        self._rows = rows.tolist()
        return self._model.reorder(state, rows, sentences)

    def step(self, previous: Tensor, state: Any) -> Step[Any]:
        step: Any = self._model.step(previous, state)
        position = len(self.steps)
        # Search moves no rows where each hypothesis stays where it is.
        rows = list(range(len(previous))) if self._rows is None else self._rows
        self._rows = None
        log_probabilities = torch.log_softmax(step.logits.float(), dim=-1)
        self.steps.append(_NotedStep(previous.tolist(), rows, log_probabilities))
        if position < len(self._prefix):
            forced = torch.full_like(step.logits, -torch.inf)
            piece = self._prefix[position]
            forced[:, piece] = step.logits[:, piece]
            step = step._replace(logits=forced)
        result: Step[Any] = step
        return result


def _nodes(steps: Sequence[_NotedStep], found: Sequence[Hypothesis], shown: int) -> list[Node]:
    nodes = [Node(BEGIN, -1, 0, 0.0, 0.0, "kept")]
    row_nodes = [0]
    for depth, step in enumerate(steps):
        if depth:
            before, last = steps[depth - 1], row_nodes
            row_nodes = []
            for piece, row in zip(step.previous, step.parents, strict=True):
                row_nodes.append(_child(nodes, last[row], piece, before.log_probabilities[row], "kept"))
        # Several rows may be the same hypothesis, as at the beginning.
        for node in dict.fromkeys(row_nodes):
            log_probabilities = step.log_probabilities[row_nodes.index(node)]
            for piece in log_probabilities.topk(shown).indices.tolist():
                _child(nodes, node, piece, log_probabilities, "pruned")
    _mark_finished(nodes, found)
    return nodes


def _child(nodes: list[Node], parent: int, piece: int, log_probabilities: Tensor, fate: str) -> int:
    """Return the node of `piece` below `parent`, a new one unless it is there."""
    for number, node in enumerate(nodes):
        if node.parent == parent and node.piece == piece:
            node.fate = "kept" if fate == "kept" else node.fate
            return number
    value = float(log_probabilities[piece])
    above = nodes[parent]
    nodes.append(Node(piece, parent, above.depth + 1, value, above.total + value, fate))
    return len(nodes) - 1


def _mark_finished(nodes: list[Node], found: Sequence[Hypothesis]) -> None:
    children: dict[tuple[int, int], int] = {(node.parent, node.piece): at for at, node in enumerate(nodes)}
    for rank, hypothesis in enumerate(found, start=1):
        at = 0
        for piece in hypothesis.pieces:
            at = children[at, piece]
        end = children.get((at, END))
        if end is None:
            above = nodes[at]
            value = hypothesis.log_probability - above.total
            nodes.append(Node(END, at, above.depth + 1, value, hypothesis.log_probability, "finished", rank))
        else:
            nodes[end].fate, nodes[end].rank = "finished", rank
