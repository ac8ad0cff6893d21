"""The verbs: what is done, to what, where and with what, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from .english import EnglishVerb
from .inflection import Group, Verb
from .nouns import Noun, nouns_of
from .times_and_places import PLACES, Place

__all__ = ["ACTIONS", "ANIMAL_ACTIONS", "GIFTS", "INTRANSITIVES", "PEOPLE_ACTIONS", "TRIPS", "Action"]

# base | past | participle | japanese | group | particle | objects | places | instruments (english=japanese)
TABLE = """
read | read | read | 読む | godan | を | book, magazine, letter, novel, newspaper, poem, report | library, park, room, classroom, garden, train | -
write | wrote | written | 書く | godan | を | letter, novel, report, poem, story, postcard | library, room, classroom, hotel | a pen=ペン, a pencil=鉛筆
buy | bought | bought | 買う | godan | を | reading matter, machines, clothes, food, furniture, instruments, stamp, postcard, ticket, towel, blanket, flower, umbrella, pen, pencil, watch, ball, cup, toy, medicine, shoes, glasses | town, supermarket, station, bookstore, Tokyo, Kyoto, Osaka | -
sell | sold | sold | 売る | godan | を | car, bicycle, camera, piano, guitar, watch, picture, house, cow, horse, flower, fish | town, village, Tokyo | -
borrow | borrowed | borrowed | 借りる | ichidan | を | book, dictionary, novel, umbrella, bicycle, car, pen, camera, notebook | library, school, station | -
open | opened | opened | 開ける | ichidan | を | window, door, box, bag, letter, package, present | room, kitchen, classroom | a key=鍵
close | closed | closed | 閉める | ichidan | を | window, door, box, bag | - | -
break | broke | broken | 割る | godan | を | window, plate, cup, egg | kitchen, room, restaurant | a stone=石
break | broke | broken | 壊す | godan | を | car, computer, camera, television, toy, chair, bicycle, watch | - | -
eat | ate | eaten | 食べる | ichidan | を | food, breakfast, lunch, dinner | restaurant, kitchen, park, garden, hotel, beach | chopsticks=箸
drink | drank | drunk | 飲む | godan | を | drinks | restaurant, kitchen, park, garden, hotel | -
take | took | taken | 飲む | godan | を | medicine | hospital, room | -
take | took | taken | 撮る | godan | を | photo | park, zoo, beach, garden, Kyoto, Nara | -
make | made | made | 作る | godan | を | cake, sandwich, soup, breakfast, lunch, dinner, toy, chair, table, dress, box | kitchen, restaurant, school, factory | -
cut | cut | cut | 切る | godan | を | bread, meat, apple, cake, fish, tree, flower | kitchen, garden | a knife=ナイフ
wash | washed | washed | 洗う | godan | を | plate, shirt, car, dog, cup, apple, vegetables, window, towel, shoes | kitchen, garden | cold water=冷たい水
play | played | played | 弾く | godan | を | piano, guitar, violin | school, park, church, room, theater | -
play | played | played | 吹く | godan | を | flute | school, park, church, room, theater | -
play | played | played | する | suru | を | tennis, soccer, baseball | school, park, university | -
do | did | done | する | suru | を | homework | library, room, classroom | -
study | studied | studied | 勉強する | suru | を | English, Japanese, French, math, history, music | library, room, school, university, Tokyo, London | -
sing | sang | sung | 歌う | godan | を | song | church, theater, school, park | -
listen to | listened to | listened to | 聞く | godan | を | music, radio, news, song, story | room, kitchen, park | -
watch | watched | watched | 見る | ichidan | を | television, movie, soccer, baseball, tennis, news | room, hotel, school | -
look at | looked at | looked at | 見る | ichidan | を | picture, map, photo, watch, flower, animals | park, museum, classroom, station | -
see | saw | seen | 見る | ichidan | を | animals, movie, picture | zoo, park, town, village, garden | -
carry | carried | carried | 運ぶ | godan | を | box, desk, chair, package, table, bag, stone, bed | school, station, hotel, factory | a truck=トラック
find | found | found | 見つける | ichidan | を | key, wallet, watch, cat, dog, umbrella, ticket, map, glasses, letter | park, station, garden, room | -
lose | lost | lost | なくす | godan | を | key, wallet, watch, umbrella, ticket, map, glasses, notebook, hat | park, station, airport, zoo, town | -
look for | looked for | looked for | 探す | godan | を | key, wallet, watch, cat, dog, umbrella, ticket, map, glasses, thief, present, camera | park, station, garden, room, supermarket | -
use | used | used | 使う | godan | を | computer, knife, dictionary, pen, map, camera, car, bicycle, towel, chair | school, office, library | -
repair | repaired | repaired | 直す | godan | を | car, bicycle, computer, watch, roof, chair, camera, television, door, shoes, toy | garden, factory | -
paint | painted | painted | 塗る | godan | を | wall, roof, door, chair, desk, box | garden | white paint=白いペンキ
draw | drew | drawn | 描く | godan | を | picture, map | park, classroom, room, museum | a pencil=鉛筆
build | built | built | 建てる | ichidan | を | house | town, village, Kyoto | -
drive | drove | driven | 運転する | suru | を | car, truck, bus | town, village | -
ride | rode | ridden | 乗る | godan | に | bicycle, horse | park, village, town | -
throw | threw | thrown | 投げる | ichidan | を | ball, stone | park, garden, beach | -
catch | caught | caught | 捕まえる | ichidan | を | mouse, thief, bird, fox, rabbit, monkey, turtle | park, garden, village, station | -
receive | received | received | 受け取る | godan | を | letter, postcard, package, present, ticket, report | post office, office, hotel | -
put on | put on | put on | 着る | ichidan | を | shirt, sweater, coat, dress | - | -
put on | put on | put on | かぶる | godan | を | hat | - | -
put on | put on | put on | はく | godan | を | shoes, socks | - | -
put on | put on | put on | かける | ichidan | を | glasses | - | -
take off | took off | taken off | 脱ぐ | godan | を | sweater, coat, hat, shoes, socks | - | -
wear | wore | worn | 着る | ichidan | を | shirt, sweater, coat, dress | school, office | -
wear | wore | worn | かぶる | godan | を | hat | beach, zoo | -
wear | wore | worn | はく | godan | を | shoes, socks | school, office | -
wear | wore | worn | かける | ichidan | を | glasses | office, library | -
forget | forgot | forgotten | 忘れる | ichidan | を | umbrella, wallet, homework, key, ticket, hat | - | -
choose | chose | chosen | 選ぶ | godan | を | present, dress, tie, cake, movie, song, flower | supermarket, town | -
touch | touched | touched | 触る | godan | に | animals, picture, wall, piano | zoo, museum | -
"""
PEOPLE_TABLE = """
meet | met | met | 会う | godan | に
call | called | called | 電話する | suru | に
help | helped | helped | 助ける | ichidan | を
wait for | waited for | waited for | 待つ | godan | を
invite | invited | invited | 招待する | suru | を
praise | praised | praised | 褒める | ichidan | を
scold | scolded | scolded | 叱る | godan | を
visit | visited | visited | 訪ねる | ichidan | を
marry | married | married | 結婚する | suru | と
thank | thanked | thanked | 感謝する | suru | に
"""
INTRANSITIVE_TABLE = """
sleep | slept | slept | 寝る | ichidan | park, room, hotel, train, garden
run | ran | run | 走る | godan | park, beach, school
walk | walked | walked | 歩く | godan | park, beach, village, town
swim | swam | swum | 泳ぐ | godan | beach, school, hotel
work | worked | worked | 働く | godan | hospital, bank, factory, restaurant, post office, Tokyo, Osaka, London
dance | danced | danced | 踊る | godan | theater, park, school, hotel
laugh | laughed | laughed | 笑う | godan | classroom, theater, room
cry | cried | cried | 泣く | godan | room, station, park, hospital
rest | rested | rested | 休む | godan | park, hotel, room, garden, hospital
shout | shouted | shouted | 叫ぶ | godan | street, station, park
fall down | fell down | fallen down | 転ぶ | godan | street, station, park, school
wait | waited | waited | 待つ | godan | station, airport, library, office, hotel
play | played | played | 遊ぶ | godan | park, beach, garden, zoo, street
"""
TRIP_TABLE = """
go to | went to | gone to | 行く | godan | に
come to | came to | come to | 来る | kuru | に
return to | returned to | returned to | 戻る | godan | に
arrive at | arrived at | arrived at | 着く | godan | に
leave | left | left | 出る | ichidan | を
"""


ANIMAL_TABLE = """
eat | ate | eaten | 食べる | ichidan | を | fish, meat, bread, apple, banana, vegetables, cake | garden, kitchen, park | -
drink | drank | drunk | 飲む | godan | を | water, milk | garden, kitchen, park | -
chase | chased | chased | 追いかける | ichidan | を | small animals, child, boy, girl, thief, ball | garden, street, park | -
follow | followed | followed | ついて行く | godan | に | child, boy, girl, woman, man | street, park, beach | -
"""


@dataclass(frozen=True)
class Action:
    """A verb with what goes with it."""

    english: EnglishVerb
    japanese: Verb
    particle: str = ""
    objects: tuple[Noun, ...] = ()
    places: tuple[Place, ...] = ()
    instruments: tuple[tuple[str, str], ...] = ()


def _verb(cells: list[str]) -> tuple[EnglishVerb, Verb]:
    base, past, participle, japanese, group = cells[:5]
    return EnglishVerb(base, past, participle), Verb(japanese, cast(Group, group))


def _places(names: str) -> tuple[Place, ...]:
    return () if names == "-" else tuple(PLACES[name] for name in names.split(", "))


def _rows(table: str) -> list[list[str]]:
    return [line.split(" | ") for line in table.strip().splitlines()]


def _instruments(names: str) -> tuple[tuple[str, str], ...]:
    pairs = [] if names == "-" else [entry.partition("=") for entry in names.split(", ")]
    return tuple((english, japanese) for english, _, japanese in pairs)


def _transitive(table: str) -> list[Action]:
    return [
        Action(*_verb(row), row[5], tuple(nouns_of(row[6])), _places(row[7]), _instruments(row[8]))
        for row in _rows(table)
    ]


ACTIONS = _transitive(TABLE)
ANIMAL_ACTIONS = _transitive(ANIMAL_TABLE)
PEOPLE_ACTIONS = [Action(*_verb(row), row[5]) for row in _rows(PEOPLE_TABLE)]
INTRANSITIVES = [Action(*_verb(row), places=_places(row[5])) for row in _rows(INTRANSITIVE_TABLE)]
TRIPS = [Action(*_verb(row), row[5]) for row in _rows(TRIP_TABLE)]
GIFTS = nouns_of(
    "book, magazine, dictionary, novel, flower, watch, tie, umbrella, hat, wallet, present, cake, toy, ticket, map, "
    "picture, cup, photo, guitar, camera, sweater, apple"
)
