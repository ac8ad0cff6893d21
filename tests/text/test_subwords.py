"""Any text is encoded and decoded unchanged, small texts get small vocabularies, and samples repeat."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm.config.defaults import choose_settings
from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.errors import DataError
from nmt_lstm.text import subwords as module
from nmt_lstm.text.invisible_characters import without_invisible_characters
from nmt_lstm.text.special_pieces import BEGIN, END, PAD, SPECIAL_PIECES, UNKNOWN
from nmt_lstm.text.subwords import Subwords, Vocabulary, different_size, train_subwords

SYLLABLES = ("ka", "mi", "to", "ru", "sen", "da", "lo", "wi", "ba", "ne")
SIZE = 340


def made_up_pairs(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """Words of recurring syllables, so that pieces longer than a character are learnt."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 4))) for _ in range(80)]
    lines = [" ".join(draw.choices(words, k=draw.randint(2, 9))) + " ." for _ in range(2 * count)]
    return [(source, target.upper()) for source, target in zip(lines[::2], lines[1::2], strict=True)]


def learnt(pairs: list[tuple[str, str]], **options: object) -> Subwords:
    """The subwords learnt from pairs with some settings."""
    return train_subwords(lambda: pairs, SubwordSettings(**options), len(pairs), seed=1)


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def vocabulary(request: pytest.FixtureRequest) -> Vocabulary:
    """A vocabulary of each kind."""
    return learnt(made_up_pairs(200), kind=request.param, vocabulary_size=SIZE).source


def test_special_pieces_and_bytes_have_fixed_ids(vocabulary) -> None:
    assert SPECIAL_PIECES == (PAD, UNKNOWN, BEGIN, END) == (0, 1, 2, 3)
    assert vocabulary.pieces(SPECIAL_PIECES) == ["<pad>", "<unk>", "<s>", "</s>"]
    assert vocabulary.pieces(range(4, 260)) == [f"<0x{byte:02X}>" for byte in range(256)]
    assert vocabulary.size == SIZE


def test_pieces_longer_than_characters_are_learnt(vocabulary) -> None:
    line = made_up_pairs(200)[0][0]
    pieces = vocabulary.encode(line)
    assert len(pieces) < len(line) / 2
    assert "".join(vocabulary.pieces(pieces)).replace("▁", " ").strip() == line


# U+2581 is SentencePiece's symbol for a space; U+FFFD stands for bytes that form no character.
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\u2581\ufffd"), max_size=40)


def normalised(line: str) -> str:
    """The line with composed characters, without invisible ones and repeated spaces."""
    visible = re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", without_invisible_characters(line))
    return " ".join(word for word in unicodedata.normalize("NFC", visible).split(" ") if word)


@settings(max_examples=150, deadline=None)
@given(line=text)
def test_any_text_is_decoded_as_it_was_encoded(vocabulary, line) -> None:
    pieces = vocabulary.encode(line)
    assert vocabulary.decode(pieces) == normalised(line)
    assert not set(pieces) & set(SPECIAL_PIECES)
    assert all(0 <= piece < vocabulary.size for piece in pieces)


@pytest.mark.parametrize(
    ("line", "decoded"),
    [
        ("", ""),
        (" \t\u2028\x00", ""),
        ("  ka   mi ", "ka mi"),
        ("ka\tmi\x85to\u2029ru", "ka mi to ru"),
        ("<s> </s> <unk> <pad> <0x41>", "<s> </s> <unk> <pad> <0x41>"),
        ("ka\u3000mi\xa0to\u200bru", "ka mi toru"),
        ("\u30ab\u3000\u30df\u200c\u30c8\u200d", "\u30ab\u3000\u30df\u200c\u30c8\u200d"),
        ("「ＫＡ」㍿①ﬁ", "「ＫＡ」㍿①ﬁ"),
        ("e\u0301\u30ab\u3099", "é\u30ac"),
        ("👩‍👩‍👧‍👦 🇯🇵 𠮷\u0301\U000e0061", "👩‍👩‍👧‍👦 🇯🇵 𠮷\u0301\U000e0061"),
        ("\ufeffka \u202emi\u202c", "ka \u202emi\u202c"),
        ("ka\ud800mi", "ka mi"),
        ("ka\u2581mi", "ka mi"),
        ("مرحبا ไทย हिन्दी", "مرحبا ไทย हिन्दी"),
    ],
)
def test_unusual_text_is_decoded_as_expected(vocabulary, line, decoded) -> None:
    assert vocabulary.decode(vocabulary.encode(line)) == decoded


INVISIBLE = "ka\u00admi\u00a0to\u200b ru"


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_words_beside_invisible_characters_keep_their_pieces(kind) -> None:
    vocabulary = learnt(made_up_pairs(200), kind=kind, vocabulary_size=SIZE).source
    plain = vocabulary.encode("kami to ru")
    assert vocabulary.encode(INVISIBLE) == vocabulary.encode_lines([INVISIBLE])[0] == plain
    sample = vocabulary.sampler(kind, 0.5)
    assert {vocabulary.decode(sample(INVISIBLE, seed)) for seed in range(20)} == {"kami to ru"}


def test_invisible_characters_are_kept_if_they_were_learnt() -> None:
    pairs = [(f"{source}\u00a0?", target) for source, target in made_up_pairs(50)]
    with_invisible, plain = (
        learnt(pairs, vocabulary_size=SIZE, normalise_invisible=choice) for choice in (False, True)
    )
    assert with_invisible.source.decode(with_invisible.source.encode(INVISIBLE)) == INVISIBLE
    assert any("\u00a0" in piece for piece in with_invisible.source.pieces(range(with_invisible.source.size)))
    assert not any("\u00a0" in piece for piece in plain.source.pieces(range(plain.source.size)))


def test_a_very_long_line_is_decoded_unchanged(vocabulary) -> None:
    line = " ".join(["kamito", "日本", "😀"] * 3_000)
    assert vocabulary.decode(vocabulary.encode(line)) == line


def test_several_lines_have_the_same_pieces_as_each_alone(vocabulary) -> None:
    lines = ["ka mi", "", "  ", "日本語 😀", "x\u2028y", made_up_pairs(3)[2][1]]
    assert vocabulary.encode_lines(lines) == [vocabulary.encode(line) for line in lines]
    assert vocabulary.encode_lines([]) == []


def test_decoding_omits_special_pieces_and_invalid_bytes(vocabulary) -> None:
    known = vocabulary.encode("kami toru")
    assert vocabulary.decode([BEGIN, *known[:2], PAD, UNKNOWN, *known[2:], END, PAD]) == "kami toru"
    byte = {value: 4 + value for value in range(256)}
    assert vocabulary.decode([*known, byte[0xE6], byte[0x97]]) == "kami toru"
    assert vocabulary.decode([byte[0xFF], *known, byte[0x80]]).strip() == "kami toru"
    assert vocabulary.decode([byte[0xE6], byte[0x97], byte[0xA5]]) == "日"
    assert vocabulary.decode([]) == vocabulary.decode(list(SPECIAL_PIECES)) == ""


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(st.integers(0, SIZE - 1), max_size=30))
def test_any_sequence_of_ids_decodes_to_one_line(vocabulary, pieces) -> None:
    line = vocabulary.decode(pieces)
    assert line.splitlines() in ([line], [])
    line.encode("utf-8")


def test_the_same_text_gives_the_same_vocabulary(vocabulary) -> None:
    again = learnt(made_up_pairs(200), kind="bpe", vocabulary_size=SIZE).source
    other = learnt(made_up_pairs(200, seed=2), kind="bpe", vocabulary_size=SIZE).source
    same_kind = learnt(made_up_pairs(200), kind="unigram", vocabulary_size=SIZE).source
    assert vocabulary.fingerprint in {again.fingerprint, same_kind.fingerprint}
    assert len({again.fingerprint, same_kind.fingerprint, other.fingerprint}) == 3


def test_joint_vocabularies_cover_both_sides_and_separate_ones_their_own() -> None:
    pairs = [("кот спит", "猫が寝る")] * 5
    joint = learnt(pairs)
    assert joint.joint
    assert joint.source is joint.target
    separate = learnt(pairs, joint=False)
    assert not separate.joint
    assert separate.source.fingerprint != separate.target.fingerprint

    def spelled_in_bytes(vocabulary: Vocabulary, line: str) -> bool:
        return any(piece.startswith("<0x") for piece in vocabulary.pieces(vocabulary.encode(line)))

    assert not any(spelled_in_bytes(joint.source, line) for line in pairs[0])
    assert [spelled_in_bytes(side, "猫") for side in (separate.source, separate.target)] == [True, False]
    assert [spelled_in_bytes(side, "кот") for side in (separate.source, separate.target)] == [False, True]


@pytest.mark.parametrize(
    ("pairs", "size"),
    [(1, 500), (100, 800), (11_000, 5_000), (29_000, 8_000), (100_000, 13_000), (10**7, 32_000)],
)
def test_the_size_of_a_vocabulary_follows_the_size_of_the_text(pairs, size, monkeypatch) -> None:
    """The same formula with and without a run file."""
    sizes: list[int] = []
    monkeypatch.setattr(module, "_train", lambda *_, size, **__: sizes.append(size))
    train_subwords(list, SubwordSettings(), pairs, seed=1)
    assert sizes == [choose_settings(pairs)["subwords"]["vocabulary_size"]] == [size]


TINY = {
    "a character": [("a", "b")],
    "one side": [("x", "")],
    "words": [("hello world this is", "hallo welt das ist")] * 3,
    "one word over and over": [("a a a a a a", "aaaa" * 300)],
    "Japanese": [("日本語" * 500, "x" * 3_000)],
    "symbols": [("😀", "𠮷 \u200b\u200d ▁▁\ufeff\ufffd")],
    "names of special pieces": [("<s> </s> <unk> <pad>", "<0x41>")],
    "many characters": [("".join(map(chr, range(0x4E00, 0x5200))), "".join(map(chr, range(0x3041, 0x3096))))],
}


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
@pytest.mark.parametrize("size", [0, 10, 300, 32_000])
@pytest.mark.parametrize("name", TINY)
def test_a_size_that_the_text_does_not_support_is_changed_with_a_warning(kind, size, name, caplog) -> None:
    pairs = TINY[name]
    vocabulary = learnt(pairs, kind=kind, vocabulary_size=size, character_coverage=1.0).source
    assert vocabulary.size > 260
    requested = size or 500
    is_silent = vocabulary.size == requested or (not size and vocabulary.size < requested)
    changes = [] if is_silent else [f"from {requested} to {vocabulary.size}"]
    assert [re.findall(r"from \d+ to \d+", record.getMessage()) for record in caplog.records] == [
        [change] for change in changes
    ]
    for line in pairs[0]:
        expected = normalised(line).replace("▁", " ").replace("\ufffd", "")
        assert vocabulary.decode(vocabulary.encode(line)) == expected


def test_the_warning_of_a_changed_size_gives_side_and_reason(caplog) -> None:
    learnt([("hello", "hallo")], vocabulary_size=8_000, joint=False)
    learnt([("hello", "hallo")], vocabulary_size=20, joint=False)
    messages = [record.getMessage() for record in caplog.records]
    assert re.search(r"source training text supports at most (\d+) pieces; .* from 8000 to \1", messages[0])
    assert "target training text supports at most" in messages[1]
    assert re.search(r"source training text (requires at least|supports at most) \d+ pieces", messages[2])


def test_a_smaller_size_than_suits_the_number_of_lines_is_no_news(caplog) -> None:
    subwords = learnt([("hello", "hallo")], vocabulary_size=500)
    assert subwords.target.size < 500
    assert not caplog.records
    for size, different in ((500, 0), (600, subwords.target.size), (subwords.target.size, 0)):
        assert different_size(subwords, SubwordSettings(vocabulary_size=size), 1) == different


@pytest.mark.parametrize(("joint", "side"), [(True, "the "), (False, "the target ")])
def test_text_of_blank_lines_is_refused(joint, side) -> None:
    pairs = [(" " if joint else "a", "\t"), ("" if joint else "b", "\u2028")]
    with pytest.raises(DataError, match=f"^{side}training text holds only blank"):
        learnt(pairs, joint=joint)


def test_other_failures_of_sentencepiece_are_reported(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("INTERNAL: the moon is full")

    monkeypatch.setattr(module, "_train_once", refuse)
    with pytest.raises(DataError, match="300 pieces .*the moon is full"):
        learnt([("a", "b")], vocabulary_size=300)


def test_only_a_few_sizes_are_tried(monkeypatch) -> None:
    def refuse(_: object, __: object, size: int, *___: object) -> None:
        raise RuntimeError(f"Vocabulary size too high ({size}). Please set it to a value <= {size - 1}.")

    monkeypatch.setattr(module, "_train_once", refuse)
    with pytest.raises(DataError, match="last one tried was 296"):
        learnt([("a", "b")], vocabulary_size=300)


def test_errors_of_the_text_are_raised_unchanged() -> None:
    def broken() -> Iterator[tuple[str, str]]:
        yield "a", "b"
        raise DataError("'train.de' is not UTF-8 at line 2")

    with pytest.raises(DataError, match="^'train.de' is not UTF-8 at line 2$"):
        train_subwords(broken, SubwordSettings(), 2, seed=1)


def test_the_end_of_a_very_long_line_is_used() -> None:
    line = "ab " * 3_000 + "の"
    vocabulary = learnt([(line, "x")], character_coverage=1.0).source
    assert "の" in vocabulary.pieces(vocabulary.encode("の"))


def test_rare_characters_are_spelled_in_bytes() -> None:
    pairs = [("a b c d", "e f g h")] * 500 + [("猫", "a")]
    rare = learnt(pairs, character_coverage=0.995).source
    every = learnt(pairs, character_coverage=1.0).source
    assert "猫" in "".join(every.pieces(every.encode("猫")))
    assert rare.pieces(rare.encode("猫"))[-3:] == ["<0xE7>", "<0x8C>", "<0xAB>"]


def test_the_lowest_character_coverage_is_possible() -> None:
    (allowed,) = [
        item.ge for item in SubwordSettings.model_fields["character_coverage"].metadata if hasattr(item, "ge")
    ]
    assert learnt([("abcdefghij" * 20 + "猫", "x")], character_coverage=allowed).source.size > 260


@pytest.mark.parametrize("joint", [True, False])
def test_vocabularies_are_saved_and_loaded(tmp_path, joint) -> None:
    pairs = made_up_pairs(20)
    subwords = learnt(pairs, joint=joint, vocabulary_size=300)
    subwords.save(tmp_path)
    names = ["joint"] if joint else ["source", "target"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"subwords.{name}.model" for name in names]
    loaded = Subwords.load(tmp_path)
    assert loaded.joint is joint
    assert loaded.source.fingerprint == subwords.source.fingerprint
    assert loaded.target.fingerprint == subwords.target.fingerprint
    assert loaded.target.encode(pairs[0][1]) == subwords.target.encode(pairs[0][1])


def test_missing_and_invalid_models_are_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="source.model': No such file"):
        Subwords.load(tmp_path)
    path = tmp_path / "subwords.joint.model"
    for content, reason in ((b"", "empty"), (b"no model" * 9, "damaged")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"joint.model': .*{reason}") as refused:
            Subwords.load(tmp_path)
        assert "INTERNAL" not in str(refused.value)


def test_a_vocabulary_with_different_special_pieces_is_refused(tmp_path) -> None:
    prefix = tmp_path / "other"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([source for source, _ in made_up_pairs(50)]),
        model_prefix=str(prefix),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    with pytest.raises(DataError, match=r"ids \(-1, 0, 1, 2\) .*needs \(0, 1, 2, 3\)"):
        Vocabulary.load(prefix.with_suffix(".model"))
