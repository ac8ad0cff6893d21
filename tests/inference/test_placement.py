"""Where the attention says that marks belong."""

from __future__ import annotations

import numpy as np

from nmt_lstm.inference.placement import Placed, Placement
from nmt_lstm.text.marked_text import Mark


def placement(order: list[int], gaps=None) -> Placement:
    """A translation whose piece number t attends to the source piece `order[t]`; each piece is a character."""
    sources = max(order) + 1
    attention = np.full((len(order), sources + 1), 0.01)
    attention[range(len(order)), order] = 1 - 0.01 * sources
    return Placement(attention, range(sources + 1), gaps or range(len(order) + 1))


def element(start: int, end: int, *marks: Mark) -> Mark:
    return Mark(start, end, "<b>", "</b>", marks=marks)


def spans(places: tuple[Placed, ...]) -> list[tuple[int, int]]:
    return [(place.start, place.end) for place in places]


def test_elements_and_points_follow_the_order_of_the_translation() -> None:
    reversed_order = placement([3, 2, 1, 0])
    first, second = element(0, 1), element(2, 4)
    assert [place.mark for place in reversed_order.places([first, second])] == [second, first]
    assert spans(reversed_order.places([first, second])) == [(0, 2), (3, 4)]
    # Between the pieces 0 and 1 of the source: their translations are 3 and 2, so they meet at gap 3.
    same_order = placement([0, 1, 2, 3])
    assert spans(same_order.places([Mark(position, position, "x") for position in range(5)])) == [
        (gap, gap) for gap in range(5)
    ]


def test_an_element_may_grow_and_contains_what_it_contained() -> None:
    places = placement([0, 1, 1, 2]).places([element(1, 3, element(2, 3), Mark(3, 3, "x"))])
    assert spans(places) == [(1, 4)]
    assert spans(places[0].marks) == [(3, 4), (4, 4)]


def test_elements_never_overlap_nor_divide_words() -> None:
    both = placement([0, 0], gaps=[0, 2]).places([element(0, 1), element(1, 2), Mark(1, 1, "x")])
    assert spans(both).count((0, 2)) == 1
    assert all(start == end for start, end in spans(both) if (start, end) != (0, 2))


def test_without_attention_the_order_is_that_of_the_source() -> None:
    uniform = Placement(np.full((4, 3), 0.3), [0, 1, 2], range(5))
    assert spans(uniform.places([element(0, 1), Mark(1, 1, "x"), element(1, 2)])) == [(0, 2), (2, 2), (2, 4)]


def test_marks_of_nothing() -> None:
    empty = Placement(np.zeros((0, 3)), [0, 1, 2], [0])
    assert spans(empty.places([element(0, 1, Mark(1, 1, "x")), Mark(2, 2, "y")])) == [(0, 0), (0, 0)]
