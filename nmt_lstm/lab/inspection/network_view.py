"""Gates, memory and output of all cells for one sentence pair: the quick part of a trace, for a page that follows typing."""

from __future__ import annotations

from typing import Any

from nmt_lstm.lab.inspection.inspection import Inspector, cell_name
from nmt_lstm.lab.inspection.strips import signed_bounds, strips
from nmt_lstm.text.special_pieces import END_OF_SENTENCE

__all__ = ["network_view"]


def network_view(inspector: Inspector, source: str, target: str) -> dict[str, Any]:
    """Return the cells of a network, ready for JSON.

    Args:
        inspector: of the network.
        source: a sentence.
        target: its translation.

    Raises:
        DataError: a text is blank or has more than 100 pieces.
    """
    reading = inspector.read_texts(source, target)
    subwords, batch = inspector.subwords, reading.batch
    read = [*subwords.source.shown(batch.source.pieces[0, :-1].tolist()), END_OF_SENTENCE]
    written = ["<s>", *subwords.target.shown(batch.target_outputs[0, :-1].tolist())]
    cells = []
    for cell in reading.cells:
        record, location = cell.record_in_order, cell.location
        cells.append(
            {
                "name": location.name,
                "cell": cell_name(inspector.side_settings(location.side)),
                "pieces": read if location.side == "encoder" else written,
                "strips": strips(record, signed_bounds([record])),
            }
        )
    return {"cells": cells}
