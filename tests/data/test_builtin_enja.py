"""The built-in corpus: what was generated is what is committed, nothing of the test is trained on, and its grammar is rich."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from types import ModuleType

import pytest

Pairs = list[tuple[str, str]]
SPLITS = ("train", "valid", "test")
NAMES = [f"{split}.{language}" for split in SPLITS for language in ("en", "ja")]
NUMBERS = {"one": "一", "two": "二", "three": "三", "four": "四", "five": "五", "six": "六"}
POLITE = r"(です|ます|ました|ません|でした|ましょう|ください|ないでください)"


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    return repository / "data" / "builtin_enja"


@pytest.fixture(scope="module")
def corpus(folder: Path) -> dict[str, Pairs]:
    sides = {name: (folder / name).read_text(encoding="utf-8").split("\n")[:-1] for name in NAMES}
    return {split: list(zip(sides[f"{split}.en"], sides[f"{split}.ja"], strict=True)) for split in SPLITS}


@pytest.fixture(scope="module")
def everything(corpus: dict[str, Pairs]) -> Pairs:
    return [pair for split in SPLITS for pair in corpus[split]]


@pytest.fixture(scope="module")
def grammar(folder: Path) -> ModuleType:
    """The noun table, by which Japanese counters and verbs of existence are checked."""
    sys.path.insert(0, str(folder))
    try:
        importlib.import_module("enja_grammar.corpus")
        return importlib.import_module("enja_grammar.nouns")
    finally:
        sys.path.remove(str(folder))


def generate(folder: Path, *arguments: object, hash_seed: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "generate.py"), *map(str, arguments)]
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_generator_writes_the_committed_files_byte_for_byte(folder, tmp_path) -> None:
    finished = generate(folder, "--output", tmp_path, hash_seed=1)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)
    for name in NAMES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_the_check_sees_a_file_that_differs_or_is_missing(folder, tmp_path) -> None:
    finished = generate(folder, "--check", hash_seed=2)
    assert (finished.returncode, finished.stderr) == (0, "")
    for name in NAMES:
        shutil.copyfile(folder / name, tmp_path / name)
    with_returns = (tmp_path / "valid.en").read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "valid.en").write_bytes(with_returns)
    (tmp_path / "test.ja").unlink()
    finished = generate(folder, "--check", "--output", tmp_path)
    assert finished.returncode == 1
    assert ": valid.en, test.ja." in finished.stderr
    assert (tmp_path / "valid.en").read_bytes() == with_returns


def test_another_seed_makes_another_corpus(folder, tmp_path) -> None:
    assert generate(folder, "--seed", 2, "--output", tmp_path).returncode == 0
    one, other = (
        (place / "train.en").read_text(encoding="utf-8").split("\n") for place in (folder, tmp_path)
    )
    assert len(one) == len(other)
    assert len(set(one) & set(other)) < len(one) / 3


def test_it_is_large_enough(corpus) -> None:
    assert len(corpus["train"]) >= 8_000
    assert len(corpus["valid"]) >= 500
    assert len(corpus["test"]) >= 500


@pytest.mark.parametrize("side", [0, 1], ids=["English", "Japanese"])
def test_no_sentence_occurs_twice_and_none_of_the_test_in_training(corpus, everything, side) -> None:
    def plain(sentence: str) -> str:
        return re.sub(r"\W", "", sentence).lower()

    assert len({pair[side] for pair in everything}) == len(everything)
    trained = {plain(pair[side]) for pair in corpus["train"]}
    for split in ("valid", "test"):
        assert not [pair[side] for pair in corpus[split] if plain(pair[side]) in trained]


def test_half_of_the_test_combines_words_that_training_does_not(grammar) -> None:
    corpus_module = sys.modules["enja_grammar.corpus"]
    sizes = {"train": 300, "valid": 41, "test": 60}
    small = corpus_module.make_corpus(3, sizes)
    assert {split: len(pairs) for split, pairs in small.splits.items()} == sizes
    assert small.unseen == 30
    combinations = [(verb, noun) for verb in "abcdefghij" for noun in map(str, range(500))]
    held_out = [combination for combination in combinations if corpus_module.is_held_out(combination)]
    assert 0.02 < len(held_out) / len(combinations) < 0.04


def test_the_words_of_the_test_are_words_of_the_training(corpus) -> None:
    """But for a few forms, which subwords spell."""

    def words(pairs: Pairs) -> set[str]:
        return {word.lower() for english, _ in pairs for word in re.findall(r"[A-Za-z]+", english)}

    tested = words(corpus["test"])
    assert len(tested - words(corpus["train"])) <= 0.02 * len(tested)
    characters = [{character for _, japanese in corpus[split] for character in japanese} for split in SPLITS]
    assert len(characters[2] - characters[0]) <= 2


def test_every_line_is_clean_text(everything) -> None:
    for english, japanese in everything:
        assert re.fullmatch(r"[A-Z][A-Za-z',. ]*[.?]", english), english
        assert "  " not in english
        assert 3 <= len(english.split()) <= 25
        assert re.fullmatch(r"[\u3041-\u309f\u30a1-\u30fc\u4e00-\u9fff々、「」]+[。？]", japanese), japanese
        for line in (english, japanese):
            assert unicodedata.normalize("NFC", line) == line


def test_questions_are_questions_in_both_languages(everything) -> None:
    asked = [pair for pair in everything if pair[0].endswith("?")]
    assert len(asked) > 1_000
    for english, japanese in asked:
        assert re.search(r"(か。|？)$", japanese), english
    for word, translation in {
        "who": "誰",
        "what": "何",
        "where": "どこ",
        "when": "いつ",
        "why": "どうして",
        "how": "どうやって",
    }.items():
        found = [
            japanese
            for english, japanese in asked
            if re.match(rf"{word} (did|will)\b", english, re.IGNORECASE)
        ]
        assert len(found) >= 15, word
        assert all(translation in japanese for japanese in found), word


def test_order_is_reversed(everything, grammar) -> None:
    """Subject, verb, object in English; subject, object, verb in Japanese."""
    names = {name.english: name.japanese for name in grammar.NAMES}
    found = 0
    for english, japanese in everything:
        match = re.fullmatch(r"(\w+) (\w+) (?:an?|the|this|that) (?:\w+ )?(\w+)\.", english)
        if match and match[1] in names and match[3] in grammar.NOUNS and match[2] not in {"is", "was"}:
            found += 1
            noun = grammar.NOUNS[match[3]].japanese
            assert re.fullmatch(rf"{names[match[1]]}は.*{noun}[をにと].+[ただるうくす]。", japanese), (
                english,
                japanese,
            )
    assert found >= 10
    # Nouns of longer sentences follow each other now in the same order and now in the other.
    turned = compared = 0
    table = {noun.english: noun.japanese for noun in grammar.NOUNS.values() if len(noun.japanese) > 1}
    for english, japanese in everything:
        places = [japanese.find(table[word]) for word in re.findall(r"[a-z]+", english) if word in table]
        if len(places) == len(set(places)) == 2 and min(places) >= 0:
            compared += 1
            turned += places[0] > places[1]
    assert compared > 800
    assert 0.2 < turned / compared < 0.8


def test_relative_clauses_stand_before_their_noun_in_japanese(everything, grammar) -> None:
    objects = subjects = 0
    for english, japanese in everything:
        match = re.match(r"The (\w+) that (\w+) \w+ (?:was|is) ", english)
        if match and match[1] in grammar.NOUNS:
            objects += 1
            noun = grammar.NOUNS[match[1]].japanese
            assert re.match(rf"\w+が\w+[ただ]{noun}は", japanese), (english, japanese)
        match = re.match(r"The (\w+) who \w+ (?:the|an?|this|that) (?:\w+ )?(\w+) (?!yesterday)\w+", english)
        if match and {match[1], match[2]} <= grammar.NOUNS.keys():
            subjects += 1
            head, inner = (grammar.NOUNS[match[group]].japanese for group in (1, 2))
            assert re.match(rf".*{inner}[をにと].*[ただる].*{head}[はがをに]", japanese), (english, japanese)
    assert objects >= 10
    assert subjects >= 10


def test_who_was_looked_for_is_said_with_a_cleft(everything) -> None:
    clefts = [pair for pair in everything if re.match(r"(.*, )?[Ii]t was .+ who ", pair[0])]
    assert len(clefts) >= 50
    for english, japanese in clefts:
        assert re.search(r"のは.+(だ|です)よ?。$", japanese), english


def test_counters_belong_to_the_noun(everything, grammar) -> None:
    """Three books and three umbrellas are counted by different words, anywhere in the sentence."""
    plurals = {noun.plural: noun for noun in grammar.NOUNS.values() if noun.plural and noun.group != "drinks"}
    used: dict[str, int] = {}
    for english, japanese in everything:
        for number, noun in re.findall(
            rf"\b({'|'.join(NUMBERS)}) (?:\w+ )?({'|'.join(plurals)})\b(?! of)", english
        ):
            counter = plurals[noun].counter
            used[counter] = used.get(counter, 0) + 1
            assert f"{NUMBERS[number]}{counter}" in japanese, (english, japanese)
        for number in re.findall(rf"\b({'|'.join(NUMBERS)}) (?:cup|glass)(?:s|es)? of", english):
            used["杯"] = used.get("杯", 0) + 1
            assert f"{NUMBERS[number]}杯" in japanese, (english, japanese)
    assert len(used) >= 10
    assert all(count >= 5 for counter, count in used.items() if counter in "人匹頭冊枚本台個着羽杯"), used


def test_being_somewhere_agrees_with_who_or_what_is_there(everything, grammar) -> None:
    animate = {"people", "small animals", "big animals"}
    by_word = {word: noun for noun in grammar.NOUNS.values() for word in (noun.english, noun.plural) if word}
    found = {True: 0, False: 0}
    pattern = rf"There (?:is|are|was|were)n?'?t? (?:an?|any|\w+)(?: \w+)? ({'|'.join(by_word)}) "
    for english, japanese in everything:
        match = re.search(pattern, english)
        if match:
            alive = by_word[match[1]].group in animate
            found[alive] += 1
            ending = (
                r"(いる|いた|いない|いなかった|います|いました|いません|いませんでした)"
                if alive
                else (r"(ある|あった|ない|なかった|あります|ありました|ありません|ありませんでした)")
            )
            assert re.search(rf"{ending}(よ|か|の)?[。？]$", japanese), (english, japanese)
    assert min(found.values()) >= 80


def test_english_verbs_agree_with_subjects_far_before_them(everything) -> None:
    """The head of a relative clause decides, not the noun that stands next to the verb."""
    far = [
        english
        for english, _ in everything
        if re.match(r"The \w+ (\w+ )?(who|that) .+ (is|was|are|were) \w+[.,]", english)
    ]
    assert len(far) >= 100
    singular = [
        english for english in far if re.match(r"The (?!shoes|socks|glasses|vegetables)\w+ ", english)
    ]
    nearest_is_plural = [english for english in singular if re.search(r"\w+s (is|was) \w+[.,]", english)]
    assert nearest_is_plural
    plain = re.compile(
        r"^(He|She|Tom|Emi|The (dog|teacher)) (am|are|were|do|have|want|like|don't|haven't|aren't|weren't)\b"
    )
    assert not [english for english, _ in everything if plain.match(english)]
    assert not [
        english
        for english, _ in everything
        if re.match(r"(They|We|You) (is|was|does|has|wants|isn't)\b", english)
    ]


def test_particles_follow_the_role_and_the_verb(everything) -> None:
    """Each verb asks for its own particle, however far its noun stands from it."""
    governed = {
        r"marr(?:y|ied|ies|ying)": "と.*結婚",
        r"(?:met|meet|meets|meeting)": "(?:に.*|[誰のをう])会[うわいえおっ]|人に",
        r"(?:ride|rode|riding|rides)": "に.*乗|乗.*[車馬]",
        r"(?:called|calls|calling)": "に.*電話|電話.*[はがをに]",
        r"follow\w*": "に.*ついて行|ついて行.*(男|女|人|子)",
        r"(?:listened|listens|listening) to": "[をがはた].*聞|聞.*歌",
        r"by (?:bus|train|bicycle|car|plane|ship|taxi)": "(?:バス|電車|自転車|車|飛行機|船|タクシー)で",
    }
    for verb, expected in governed.items():
        found = [pair for pair in everything if re.search(rf"\b{verb}\b", pair[0])]
        assert len(found) >= 50, verb
        for english, japanese in found:
            assert re.search(expected, japanese), (english, japanese)
    passive = [pair for pair in everything if re.match(r"The \w+ was \w+ by \w+(?: last \w+)?\.$", pair[0])]
    assert len(passive) >= 10
    for english, japanese in passive:
        assert re.fullmatch(
            r".+は.*(によって|に).+られた。|.+は.*に.+れた。|.+は.*によって.+れた。", japanese
        ), english


def test_new_and_known_subjects_have_different_particles(everything) -> None:
    new = [
        japanese
        for english, japanese in everything
        if re.match(r"(Two|Three|Four|Five|Six) (\w+ )?\w+ were \w+ing", english)
    ]
    assert len(new) >= 20
    assert all(re.search(r"が[二三四五六]", japanese) for japanese in new)
    known = [japanese for english, japanese in everything if re.match(r"The \w+ (was|is) \w+ing", english)]
    assert len(known) >= 20
    assert all("は" in japanese for japanese in known)


def test_politeness_follows_from_the_one_who_is_spoken_to(everything) -> None:
    polite = [
        pair for pair in everything if re.search(r", (sir|ma'am)[.?]$|^(Mr|Ms)\. \w+, |^Excuse me, ", pair[0])
    ]
    assert len(polite) > 2_000
    for english, japanese in polite:
        assert re.search(rf"{POLITE}か?。$", japanese), (english, japanese)
    familiar = [pair for pair in everything if pair[0].endswith(", you know.")]
    assert len(familiar) > 500
    for english, japanese in familiar:
        assert japanese.endswith("よ。"), english
        assert not re.search(rf"{POLITE}よ。$", japanese), english
    asked_politely = set(polite)
    plain = [
        pair
        for pair in everything
        if pair not in asked_politely
        and re.search(r"[a-z]\.$", pair[0])
        and not re.search(r"[Pp]lease", pair[0])
    ]
    assert len(plain) > 3_000
    assert not [pair for pair in plain if re.search(rf"{POLITE}か?。$", pair[1])]


def test_giving_is_said_by_its_direction(everything) -> None:
    to_me = [
        japanese
        for english, japanese in everything
        if re.search(r" for me(, [\w' ]+)?[.?]$", english) and not re.search(r"\b[Ww]ait", english)
    ]
    assert len(to_me) >= 10
    assert all(re.search(r"くれ|いただけ", japanese) for japanese in to_me)
    to_others = [
        japanese
        for english, japanese in everything
        if re.search(r" for (him|her|them|Emi|Tom|Anna|Ken|Mary|Mike)\.$", english)
    ]
    assert len(to_others) >= 10
    assert any("あげ" in japanese for japanese in to_others)
    assert not [japanese for japanese in to_others if "くれ" in japanese]
