"""Adverbials: times by the tense they go with, places with their preposition, positions, numbers and counters."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DAYS", "HOURS", "NUMBERS", "PLACES", "POSITIONS", "TIMES", "VEHICLES", "Adverbial", "Place"]


@dataclass(frozen=True)
class Adverbial:
    """A word or phrase in both languages."""

    english: str
    japanese: str


@dataclass(frozen=True)
class Place:
    """A place; `english` carries its article, `preposition` is said of being there."""

    english: str
    japanese: str
    preposition: str

    @property
    def inside(self) -> str:
        """Being there, in English."""
        return f"{self.preposition} {self.english}"


PLACE_TABLE = """
library | the library | 図書館 | in
school | the school | 学校 | at
station | the station | 駅 | at
park | the park | 公園 | in
hospital | the hospital | 病院 | in
kitchen | the kitchen | 台所 | in
restaurant | the restaurant | レストラン | at
garden | the garden | 庭 | in
office | the office | 事務所 | at
museum | the museum | 美術館 | in
bank | the bank | 銀行 | at
post office | the post office | 郵便局 | at
beach | the beach | 海辺 | at
airport | the airport | 空港 | at
university | the university | 大学 | at
supermarket | the supermarket | スーパー | at
classroom | the classroom | 教室 | in
hotel | the hotel | ホテル | at
room | the room | 部屋 | in
village | the village | 村 | in
town | the town | 町 | in
bookstore | the bookstore | 本屋 | at
zoo | the zoo | 動物園 | at
church | the church | 教会 | in
factory | the factory | 工場 | in
theater | the theater | 劇場 | at
street | the street | 通り | on
train | the train | 電車 | on
Tokyo | Tokyo | 東京 | in
Kyoto | Kyoto | 京都 | in
Osaka | Osaka | 大阪 | in
Nara | Nara | 奈良 | in
London | London | ロンドン | in
Paris | Paris | パリ | in
"""
PLACES = {
    key: Place(english, japanese, preposition)
    for key, english, japanese, preposition in (
        line.split(" | ") for line in PLACE_TABLE.strip().splitlines()
    )
}
POSITIONS = {
    "on": "の上",
    "under": "の下",
    "in": "の中",
    "behind": "の後ろ",
    "in front of": "の前",
    "next to": "の隣",
    "near": "の近く",
}
NUMBERS = [
    ("one", "一"),
    ("two", "二"),
    ("three", "三"),
    ("four", "四"),
    ("five", "五"),
    ("six", "六"),
    ("seven", "七"),
    ("eight", "八"),
    ("nine", "九"),
    ("ten", "十"),
]
DAYS = [
    ("Monday", "月曜日"),
    ("Tuesday", "火曜日"),
    ("Wednesday", "水曜日"),
    ("Thursday", "木曜日"),
    ("Friday", "金曜日"),
    ("Saturday", "土曜日"),
    ("Sunday", "日曜日"),
]
HOURS = [Adverbial(f"at {english} o'clock", f"{japanese}時に") for english, japanese in NUMBERS[4:]]
VEHICLES = [
    Adverbial("by train", "電車で"),
    Adverbial("by bus", "バスで"),
    Adverbial("by car", "車で"),
    Adverbial("by bicycle", "自転車で"),
    Adverbial("by taxi", "タクシーで"),
    Adverbial("on foot", "歩いて"),
]


def _ago(unit: str, counter: str, numbers: list[tuple[str, str]]) -> list[Adverbial]:
    return [
        Adverbial(f"{english} {unit}{'' if english == 'one' else 's'} ago", f"{japanese}{counter}前に")
        for english, japanese in numbers
    ]


TIMES: dict[str, list[Adverbial]] = {
    "past": [
        Adverbial("yesterday", "昨日"),
        Adverbial("yesterday", "昨日"),
        Adverbial("last night", "昨夜"),
        Adverbial("last week", "先週"),
        Adverbial("last month", "先月"),
        Adverbial("last year", "去年"),
        Adverbial("this morning", "今朝"),
        Adverbial("the day before yesterday", "おととい"),
        *(Adverbial(f"last {english}", f"先週の{japanese}に") for english, japanese in DAYS),
        *_ago("day", "日", NUMBERS[2:5]),
        *_ago("week", "週間", NUMBERS[1:3]),
        *_ago("year", "年", NUMBERS[1:5]),
        *_ago("hour", "時間", NUMBERS[:3]),
    ],
    "future": [
        Adverbial("tomorrow", "明日"),
        Adverbial("tomorrow", "明日"),
        Adverbial("tonight", "今夜"),
        Adverbial("next week", "来週"),
        Adverbial("next month", "来月"),
        Adverbial("next year", "来年"),
        Adverbial("the day after tomorrow", "あさって"),
        Adverbial("tomorrow morning", "明日の朝"),
        *(Adverbial(f"next {english}", f"来週の{japanese}に") for english, japanese in DAYS),
    ],
    "present": [
        Adverbial("every day", "毎日"),
        Adverbial("every morning", "毎朝"),
        Adverbial("every night", "毎晩"),
        Adverbial("every week", "毎週"),
        *(Adverbial(f"every {english}", f"毎週{japanese}に") for english, japanese in DAYS),
    ],
    "now": [Adverbial("now", "今")],
    "then": [Adverbial("then", "その時"), *(Adverbial(hour.english, hour.japanese) for hour in HOURS)],
}
