"""The adjectives, with the nouns they fit and their Japanese, which may depend on the noun."""

from __future__ import annotations

from dataclasses import dataclass

from .inflection import Adjective, Copula, Predicate, Verb
from .nouns import Noun, nouns_of

__all__ = ["FEELINGS", "QUALITIES", "Quality"]

# english | comparative ("-": with more) | japanese | kind (i, na, no) | nouns
TABLE = """
big | bigger | 大きい | i | animals, furniture, house, tree, plate, package, car, hat, fish
small | smaller | 小さい | i | small animals, furniture, house, tree, plate, package, car, camera, watch, key
new | newer | 新しい | i | reading matter, machines, clothes, instruments, house, watch, umbrella, pen, wallet, bag, desk, shoes
old | older | 古い | i | reading matter, machines, clothes, instruments, house, watch, umbrella, bag, desk, chair, picture, tree, shoes
red | redder | 赤い | i | clothes, car, bicycle, umbrella, flower, pencil, bag, apple, shoes, ball
blue | bluer | 青い | i | clothes, car, bicycle, umbrella, pen, bag, bird, plate, door
white | whiter | 白い | i | clothes, car, dog, cat, rabbit, horse, plate, flower, house, wall, shoes
black | blacker | 黒い | i | clothes, car, dog, cat, umbrella, bag, horse, shoes, tie, wallet
expensive | - | 高い | i | machines, clothes, instruments, watch, wallet, tie, bag, ticket, picture, house, dictionary
cheap | cheaper | 安い | i | machines, clothes, watch, tie, bag, ticket, umbrella, guitar, desk
heavy | heavier | 重い | i | package, box, bag, desk, stone, dictionary, table, door
light | lighter | 軽い | i | package, bag, umbrella, camera, computer, coat
long | longer | 長い | i | letter, novel, pencil, movie, story, dress, report
short | shorter | 短い | i | letter, novel, pencil, movie, story, poem, song, report
interesting | - | 面白い | i | book, novel, magazine, movie, story, history, report, newspaper
boring | - | つまらない | i | book, novel, magazine, movie, story
delicious | - | おいしい | i | food, coffee, tea, juice, beer, dinner, breakfast, lunch
hot | hotter | 熱い | i | soup, coffee, tea, water, milk
cold | colder | 冷たい | i | water, milk, juice, beer
sweet | sweeter | 甘い | i | apple, orange, cake, banana, juice
young | younger | 若い | i | teacher, doctor, nurse, man, woman, police officer, singer, driver, engineer, lawyer, writer, painter, reporter, actor
tall | taller | 背が高い | i | people
kind | kinder | 親切 | na | people
famous | - | 有名 | na | teacher, doctor, singer, lawyer, writer, painter, cook, scientist, actor, book, picture, movie, song, poem, novel
cute | cuter | かわいい | i | small animals, child, girl, toy
beautiful | - | 美しい | i | woman, flower, picture, dress, song, poem, horse, bird
clever | cleverer | 賢い | i | dog, monkey, student, child, boy, girl, lawyer, crow
strong | stronger | 強い | i | man, boy, bear, horse
difficult | - | 難しい | i | book, math, history, English, Japanese, French, homework, song, poem
easy | easier | 簡単 | na | homework, song, English, math
useful | - | 便利 | na | dictionary, map, computer, bicycle, camera, knife, bag
important | - | 大切 | na | letter, photo, key, report, package, English, history
dangerous | - | 危険 | na | knife, bear, medicine
dirty | dirtier | 汚い | i | clothes, shoes, plate, wall, window, car, towel, table
strange | stranger | 変 | na | man, story, movie, picture, hat, letter
quiet | quieter | 静か | na | child, girl, boy, cat
"""

# What is said of somebody at some time: english | japanese | kind
FEELING_TABLE = """
busy | 忙しい | i
tired | 疲れている | verb
sick | 病気 | no
hungry | 空腹 | no
free | 暇 | na
sleepy | 眠い | i
fine | 元気 | na
angry | 怒っている | verb
worried | 心配している | verb
"""


@dataclass(frozen=True)
class Quality:
    """An adjective."""

    english: str
    comparative: str
    predicate: Predicate
    nouns: tuple[Noun, ...]

    @property
    def before_noun(self) -> str:
        """Its Japanese before a noun; 背が高い becomes 背の高い there."""
        return self.predicate.before_noun().replace("背が", "背の")


def _predicate(japanese: str, kind: str) -> Predicate:
    if kind == "i":
        return Adjective(japanese)
    if kind == "verb":
        return Verb(japanese, "ichidan")
    return Copula(japanese, {"na": "な", "no": "の"}[kind])


def _read() -> list[Quality]:
    qualities = []
    for line in TABLE.strip().splitlines():
        english, comparative, japanese, kind, nouns = line.split(" | ")
        qualities.append(
            Quality(
                english,
                f"more {english}" if comparative == "-" else comparative,
                _predicate(japanese, kind),
                tuple(nouns_of(nouns)),
            )
        )
    return qualities


QUALITIES = _read()
FEELINGS = [
    (english, _predicate(japanese, kind))
    for english, japanese, kind in (line.split(" | ") for line in FEELING_TABLE.strip().splitlines())
]
