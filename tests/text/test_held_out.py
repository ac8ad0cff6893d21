"""Held-out validation text has the right size, comes from all parts, and is never trained on."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from nmt_lstm.config.load import dump_toml, load_run, make_run
from nmt_lstm.errors import DataError
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.held_out import hold_out, with_validation_text


def write_text(folder, pairs):
    """Write the two sides of a text; return their paths."""
    paths = folder / "a.de", folder / "a.en"
    for path, lines in zip(paths, zip(*pairs, strict=True), strict=True):
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return paths


def hold_out_and_write(*files, folder, **options):
    """Hold pairs out and write them; check that the files contain them."""
    held_out = hold_out(*files, folder, **options)
    if not options:
        assert not folder.exists()
    held_out.write()
    assert list(read_parallel(held_out.source, held_out.target)) == held_out.pairs
    return held_out


def numbered(count):
    """Different pairs."""
    return [(f"Satz {number}", f"sentence {number}") for number in range(count)]


@pytest.mark.parametrize(
    ("total", "expected"), [(2, 1), (10, 1), (20, 1), (399, 19), (400, 20), (30_000, 1_000)]
)
def test_five_per_cent_but_at_most_a_thousand_pairs_are_held_out(tmp_path, total, expected) -> None:
    pairs = numbered(total)
    held_out = hold_out_and_write(*write_text(tmp_path, pairs), folder=tmp_path / "run")
    held = list(read_parallel(held_out.source, held_out.target))
    assert (held_out.source, held_out.target) == (
        tmp_path / "run" / "valid.de",
        tmp_path / "run" / "valid.en",
    )
    assert (len(held_out.pairs), held_out.remaining) == (expected, total - expected)
    assert len(set(held)) == len(held) == expected
    assert set(held) <= set(pairs)


def test_the_last_text_of_a_label_is_not_held_out(tmp_path) -> None:
    pairs = [(f"text {number}", f"label {number if number > 300 else 1}") for number in range(400)]
    source, target = write_text(tmp_path, pairs)
    held = hold_out(source, target, tmp_path / "run", labelled=True)
    assert held.pairs
    assert {label for _, label in held.pairs} == {"label 1"}
    assert held.remaining == 400 - len(held.pairs)


@pytest.mark.parametrize("others", [[], [("other", "bad")]])
def test_copies_of_a_text_are_not_mistaken_for_labels_that_occur_once(tmp_path, others) -> None:
    source, target = write_text(tmp_path, [("same text", "good")] * 40 + others)
    with pytest.raises(DataError, match="different texts") as failure:
        hold_out(source, target, tmp_path / "run", labelled=True)
    assert failure.value.path == source


def test_texts_in_place_of_labels_cannot_be_held_out(tmp_path) -> None:
    source, target = write_text(tmp_path, numbered(100))
    with pytest.raises(DataError, match="column of the texts"):
        hold_out(source, target, tmp_path / "run", labelled=True)


def test_the_same_pairs_from_all_parts_are_held_out(tmp_path) -> None:
    pairs = numbered(2_000)
    files = write_text(tmp_path, pairs)
    held = [hold_out_and_write(*files, folder=tmp_path / name).pairs for name in ("one", "two")]
    assert held[0] == held[1]
    indices = [pairs.index(pair) for pair in held[0]]
    assert indices == sorted(indices)
    assert Counter(index // 200 for index in indices) == dict.fromkeys(range(10), 10)
    # Not at regular distances: a text may be periodic, too.
    assert len({after - before for before, after in itertools.pairwise(indices)}) > 5


def test_repeated_pairs_are_not_held_out_if_there_are_others(tmp_path) -> None:
    pairs = [pair if number % 2 else ("Ja.", "Yes.") for number, pair in enumerate(numbered(400))]
    held_out = hold_out_and_write(*write_text(tmp_path, pairs), folder=tmp_path / "run")
    held = list(read_parallel(held_out.source, held_out.target))
    assert ("Ja.", "Yes.") not in held
    assert (len(held_out.pairs), held_out.remaining) == (20, 380)


def test_all_copies_of_a_held_out_pair_are_excluded(tmp_path) -> None:
    pairs = [pair for pair in numbered(200) for _ in range(2)]
    pairs = [
        (f"{source} ", target) if number % 2 else (source, target)
        for number, (source, target) in enumerate(pairs)
    ]
    held_out = hold_out_and_write(*write_text(tmp_path, pairs), folder=tmp_path / "run")
    assert (len(held_out.pairs), held_out.remaining) == (20, 360)


def test_no_pair_with_an_empty_side_is_held_out(tmp_path) -> None:
    pairs = [
        (source if number % 3 else "", target if number % 5 else " ")
        for number, (source, target) in enumerate(numbered(400))
    ]
    held_out = hold_out_and_write(*write_text(tmp_path, pairs), folder=tmp_path / "run")
    assert (len(held_out.pairs), held_out.total) == (20, 400)
    assert held_out.remaining == sum(bool(source and target.strip()) for source, target in pairs) - 20
    assert all(
        source.strip() and target.strip()
        for source, target in read_parallel(held_out.source, held_out.target)
    )


@pytest.mark.parametrize("pairs", [numbered(1), [("Ja.", "Yes.")] * 100])
def test_too_few_pairs_are_refused(tmp_path, pairs) -> None:
    with pytest.raises(DataError, match="--valid-source"):
        hold_out_and_write(*write_text(tmp_path, pairs), folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("side", [0, 1])
def test_a_side_without_text_is_refused(tmp_path, side) -> None:
    files = write_text(tmp_path, [(pair[0], " ") if side else ("", pair[1]) for pair in numbered(100)])
    with pytest.raises(DataError, match=f"^'{files[side]}' holds only blank lines") as caught:
        hold_out(*files, tmp_path / "run")
    assert str(files[1 - side]) not in str(caught.value)


def test_a_resumed_run_reuses_its_files(tmp_path) -> None:
    files = write_text(tmp_path, numbered(400))
    first = hold_out_and_write(*files, folder=tmp_path / "run")
    content = first.source.read_bytes()
    files = write_text(tmp_path, [*numbered(400), ("neu", "new")] * 2)
    again = hold_out_and_write(*files, folder=tmp_path / "run", reuse=True)
    assert again.source.read_bytes() == content
    assert (len(again.pairs), again.remaining) == (20, 802 - 40)
    assert len(hold_out_and_write(*files, folder=tmp_path / "other", reuse=True).pairs) == 40


@pytest.mark.parametrize(("total", "enough"), [(10, False), (399, False), (400, True)])
def test_the_summary_warns_of_too_few_pairs(tmp_path, total, enough) -> None:
    held_out = hold_out(*write_text(tmp_path, numbered(total)), tmp_path / "run")
    assert f"{len(held_out.pairs)} of {total} pairs" in held_out.describe()
    assert ("mean little" not in held_out.describe()) == enough
    assert str(tmp_path / "run") in held_out.describe()
    assert str(tmp_path / "run") not in held_out.describe(with_folder=False)


def test_the_settings_name_the_files_of_held_out_pairs(tmp_path) -> None:
    source, target = write_text(tmp_path, numbered(400))
    run = make_run({"data": {"train_source": str(source), "train_target": str(target)}})
    resolved, held = with_validation_text(run, tmp_path / "run", reuse=False)
    assert held is not None
    held.write()
    assert resolved.data.validation_files() == (held.source, held.target)
    assert held.source == tmp_path / "run" / "held-out" / "valid.de"
    assert resolved.data.exclude_validation
    (tmp_path / "run.toml").write_text(dump_toml(resolved))
    assert load_run(tmp_path / "run.toml") == resolved
    assert with_validation_text(resolved, tmp_path / "other", reuse=False) == (resolved, None)


def fail_with(held_out, *folders):
    """Fail after the validation text and some folders beside it were written."""
    with held_out.files():
        assert held_out.source.is_file()
        for name in folders:
            (held_out.source.parents[1] / name).mkdir()
        raise RuntimeError


def test_a_run_that_fails_at_once_leaves_nothing(tmp_path) -> None:
    held_out = hold_out(*write_text(tmp_path, numbered(400)), tmp_path / "run" / "held-out")
    with pytest.raises(RuntimeError):
        fail_with(held_out)
    assert not (tmp_path / "run").exists()


def test_a_run_that_fails_later_keeps_its_validation_text(tmp_path) -> None:
    held_out = hold_out(*write_text(tmp_path, numbered(400)), tmp_path / "run" / "held-out")
    with pytest.raises(RuntimeError):
        fail_with(held_out, "checkpoints")
    assert held_out.target.is_file()


def test_validation_text_from_before_is_kept(tmp_path) -> None:
    held_out = hold_out(*write_text(tmp_path, numbered(400)), tmp_path / "run" / "held-out")
    held_out.write()
    with pytest.raises(RuntimeError):
        fail_with(held_out)
    assert held_out.source.is_file()


def test_lines_of_text_without_pairs_are_held_out(tmp_path) -> None:
    source, _ = write_text(tmp_path, numbered(400))
    held_out = hold_out(source, None, tmp_path / "run" / "held-out")
    held_out.write()
    lines = [line for line, same in held_out.pairs if line == same]
    assert held_out.target is None
    assert held_out.source.read_text().splitlines() == lines
    assert len(lines) == len(set(lines)) == 20
    assert "lines" in held_out.describe()
