"""Entry points of all distributions are read, and those with broken metadata are skipped."""

from __future__ import annotations

import logging

from nmt_lstm.registry.entry import Entry, entry_points

GROUP = "toy.parts.v1"


def names_in(group: str) -> list[tuple[str, str]]:
    """Names of the entry points of a group, each with its distribution."""
    return [(point.name, found.metadata["Name"]) for point, found in entry_points(lambda name: name == group)]


def test_entry_points_are_yielded_by_group(install) -> None:
    install("toy-one", "", {"a": "toy_one:A", "b": "toy_one:B"})
    install("toy-two", "", {"c": "toy_two:C"}, group="other.parts.v1")
    assert sorted(names_in(GROUP)) == [("a", "toy-one"), ("b", "toy-one")]
    assert names_in("other.parts.v1") == [("c", "toy-two")]


def test_of_two_distributions_of_one_name_the_first_on_the_path_counts(
    install, site, tmp_path, monkeypatch
) -> None:
    install("toy-one", "", {"a": "toy_one:A"})
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (site / "toy_one-1.0.dist-info").rename(earlier / "toy_one-2.0.dist-info")
    install("toy-one", "", {"b": "toy_one:B"})
    monkeypatch.syspath_prepend(str(earlier))
    assert names_in(GROUP) == [("a", "toy-one")]


def test_a_distribution_with_broken_metadata_is_skipped_with_a_warning(install, caplog) -> None:
    info = install("toy-broken", "", {"x": "toy_broken:X"})
    (info / "entry_points.txt").write_bytes(b"[toy.parts.v1]\nx = \xff\xfe\n")
    nameless = install("toy-nameless", "", {"y": "toy_nameless:Y"})
    (nameless / "METADATA").write_text("Metadata-Version: 2.1\n")
    install("toy-good", "", {"z": "toy_good:Z"})
    with caplog.at_level(logging.WARNING):
        assert names_in(GROUP) == [("z", "toy-good")]
    assert "toy-broken" in caplog.text
    assert len(caplog.records) == 2


def test_the_description_is_the_first_line_of_the_docstring() -> None:
    entry = Entry("a", "here", "", "", "package.module:A", "  First line.\nSecond line.")
    assert (entry.description, entry.module) == ("First line.", "package.module")
