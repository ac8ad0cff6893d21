"""Validation text held out of the training text: how much, from where, and never a pair that is trained on."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from nmt_lstm.config.load import dump_toml, load_run, make_run
from nmt_lstm.errors import DataError
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.held_out import hold_out, with_validation_text

NAMES = ("valid.de", "valid.en")


def written(folder, pairs):
    paths = folder / "a.de", folder / "a.en"
    for path, lines in zip(paths, zip(*pairs, strict=True), strict=True):
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return paths


def held_out_of(*files, folder, **options):
    found = hold_out(*files, folder, names=NAMES, **options)
    assert not folder.exists() or options
    found.write()
    assert list(read_parallel(found.source, found.target)) == found.pairs
    return found


def numbered(count):
    return [(f"Satz {number}", f"sentence {number}") for number in range(count)]


@pytest.mark.parametrize(
    ("total", "expected"), [(2, 1), (10, 1), (20, 1), (399, 19), (400, 20), (30_000, 1_000)]
)
def test_as_much_as_is_said_is_held_out(tmp_path, total, expected) -> None:
    pairs = numbered(total)
    found = held_out_of(*written(tmp_path, pairs), folder=tmp_path / "run")
    held = list(read_parallel(found.source, found.target))
    assert (found.source, found.target) == (tmp_path / "run" / "valid.de", tmp_path / "run" / "valid.en")
    assert (len(found.pairs), found.trained_on) == (expected, total - expected)
    assert len(set(held)) == len(held) == expected
    assert set(held) <= set(pairs)


def test_it_comes_from_all_parts_of_the_text_and_is_always_the_same(tmp_path) -> None:
    pairs = numbered(2_000)
    files = written(tmp_path, pairs)
    found = [held_out_of(*files, folder=tmp_path / name) for name in ("one", "two")]
    held = [list(read_parallel(each.source, each.target)) for each in found]
    assert held[0] == held[1]
    places = [pairs.index(pair) for pair in held[0]]
    assert places == sorted(places)
    assert Counter(place // 200 for place in places) == dict.fromkeys(range(10), 10)
    # Not every twentieth: texts have rhythms, too.
    assert len({after - before for before, after in itertools.pairwise(places)}) > 5


def test_a_pair_that_the_text_repeats_is_left_in_it_where_there_are_others(tmp_path) -> None:
    pairs = [pair if number % 2 else ("Ja.", "Yes.") for number, pair in enumerate(numbered(400))]
    found = held_out_of(*written(tmp_path, pairs), folder=tmp_path / "run")
    held = list(read_parallel(found.source, found.target))
    assert ("Ja.", "Yes.") not in held
    assert (len(found.pairs), found.trained_on) == (20, 380)


def test_all_copies_of_a_pair_count_as_held_out(tmp_path) -> None:
    pairs = [pair for pair in numbered(200) for _ in range(2)]
    pairs = [
        (f"{source} ", target) if number % 2 else (source, target)
        for number, (source, target) in enumerate(pairs)
    ]
    found = held_out_of(*written(tmp_path, pairs), folder=tmp_path / "run")
    assert (len(found.pairs), found.trained_on) == (20, 360)


def test_no_pair_with_an_empty_side_is_held_out(tmp_path) -> None:
    pairs = [
        (source if number % 3 else "", target if number % 5 else " ")
        for number, (source, target) in enumerate(numbered(400))
    ]
    found = held_out_of(*written(tmp_path, pairs), folder=tmp_path / "run")
    assert (len(found.pairs), found.total) == (20, 400)
    assert found.trained_on == sum(bool(source and target.strip()) for source, target in pairs) - 20
    assert all(
        source.strip() and target.strip() for source, target in read_parallel(found.source, found.target)
    )


@pytest.mark.parametrize("pairs", [numbered(1), [("Ja.", "Yes.")] * 100])
def test_too_few_pairs_are_refused_with_the_options(tmp_path, pairs) -> None:
    with pytest.raises(DataError, match="--valid-source"):
        held_out_of(*written(tmp_path, pairs), folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("side", [0, 1])
def test_a_side_without_text_is_named(tmp_path, side) -> None:
    files = written(tmp_path, [(pair[0], " ") if side else ("", pair[1]) for pair in numbered(100)])
    with pytest.raises(DataError, match=f"^'{files[side]}' holds only blank lines") as caught:
        hold_out(*files, tmp_path / "run")
    assert str(files[1 - side]) not in str(caught.value)


def test_a_resumed_run_keeps_what_it_has(tmp_path) -> None:
    files = written(tmp_path, numbered(400))
    first = held_out_of(*files, folder=tmp_path / "run")
    kept = first.source.read_bytes()
    files = written(tmp_path, [*numbered(400), ("neu", "new")] * 2)
    again = held_out_of(*files, folder=tmp_path / "run", reuse=True)
    assert again.source.read_bytes() == kept
    assert (len(again.pairs), again.trained_on) == (20, 802 - 40)
    assert len(held_out_of(*files, folder=tmp_path / "other", reuse=True).pairs) == 40


@pytest.mark.parametrize(("total", "enough"), [(10, False), (399, False), (400, True)])
def test_scores_of_few_pairs_are_said_to_mean_little(tmp_path, total, enough) -> None:
    found = hold_out(*written(tmp_path, numbered(total)), tmp_path / "run")
    assert f"{len(found.pairs)} of {total} pairs" in found.describe()
    assert ("say little" not in found.describe()) == enough
    assert str(tmp_path / "run") in found.describe()
    assert str(tmp_path / "run") not in found.describe(place=False)


def test_the_settings_name_what_was_held_out_for_them(tmp_path) -> None:
    source, target = written(tmp_path, numbered(400))
    run = make_run({"data": {"train_source": str(source), "train_target": str(target)}})
    resolved, held = with_validation_text(run, tmp_path / "run", reuse=False)
    assert held is not None
    held.write()
    assert resolved.data.validation_text() == (held.source, held.target)
    assert held.source == tmp_path / "run" / "held-out" / "valid.de"
    assert resolved.data.exclude_validation
    (tmp_path / "run.toml").write_text(dump_toml(resolved))
    assert load_run(tmp_path / "run.toml") == resolved
    assert with_validation_text(resolved, tmp_path / "other", reuse=False) == (resolved, None)


def fail_with(found, *made):
    """Fail after the validation text was written, and `made` folders beside it."""
    with found.placed():
        assert found.source.is_file()
        for name in made:
            (found.source.parents[1] / name).mkdir()
        raise RuntimeError


def test_what_fails_at_once_leaves_nothing(tmp_path) -> None:
    found = hold_out(*written(tmp_path, numbered(400)), tmp_path / "run" / "held-out")
    with pytest.raises(RuntimeError):
        fail_with(found)
    assert not (tmp_path / "run").exists()


def test_what_fails_later_keeps_its_validation_text(tmp_path) -> None:
    found = hold_out(*written(tmp_path, numbered(400)), tmp_path / "run" / "held-out")
    with pytest.raises(RuntimeError):
        fail_with(found, "checkpoints")
    assert found.target.is_file()


def test_validation_text_that_was_there_before_is_left_alone(tmp_path) -> None:
    found = hold_out(*written(tmp_path, numbered(400)), tmp_path / "run" / "held-out")
    found.write()
    with pytest.raises(RuntimeError):
        fail_with(found)
    assert found.source.is_file()
