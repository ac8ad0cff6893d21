"""The nouns, names and pronouns, with plural, counter and group."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GROUPS", "KIN", "NAMES", "NOUNS", "SURNAMES", "Kin", "Name", "Noun", "nouns_of"]

# english | plural | japanese | counter; a plural of "-" marks what cannot be counted
TABLE = """
# people
teacher | teachers | 先生 | 人
student | students | 学生 | 人
doctor | doctors | 医者 | 人
nurse | nurses | 看護師 | 人
boy | boys | 男の子 | 人
girl | girls | 女の子 | 人
man | men | 男の人 | 人
woman | women | 女の人 | 人
child | children | 子ども | 人
police officer | police officers | 警察官 | 人
singer | singers | 歌手 | 人
driver | drivers | 運転手 | 人
engineer | engineers | 技術者 | 人
lawyer | lawyers | 弁護士 | 人
writer | writers | 作家 | 人
painter | painters | 画家 | 人
tourist | tourists | 観光客 | 人
friend | friends | 友達 | 人
reporter | reporters | 記者 | 人
carpenter | carpenters | 大工 | 人
cook | cooks | 料理人 | 人
scientist | scientists | 科学者 | 人
actor | actors | 俳優 | 人
clerk | clerks | 店員 | 人
# small animals
dog | dogs | 犬 | 匹
cat | cats | 猫 | 匹
rabbit | rabbits | うさぎ | 匹
mouse | mice | ねずみ | 匹
fox | foxes | きつね | 匹
monkey | monkeys | 猿 | 匹
turtle | turtles | 亀 | 匹
bird | birds | 鳥 | 羽
duck | ducks | あひる | 羽
crow | crows | からす | 羽
# big animals
horse | horses | 馬 | 頭
cow | cows | 牛 | 頭
elephant | elephants | 象 | 頭
bear | bears | 熊 | 頭
# reading matter
book | books | 本 | 冊
magazine | magazines | 雑誌 | 冊
dictionary | dictionaries | 辞書 | 冊
notebook | notebooks | ノート | 冊
novel | novels | 小説 | 冊
letter | letters | 手紙 | 通
# flat things
ticket | tickets | 切符 | 枚
plate | plates | 皿 | 枚
photo | photos | 写真 | 枚
map | maps | 地図 | 枚
stamp | stamps | 切手 | 枚
postcard | postcards | はがき | 枚
blanket | blankets | 毛布 | 枚
towel | towels | タオル | 枚
picture | pictures | 絵 | 枚
# long things
pencil | pencils | 鉛筆 | 本
pen | pens | ペン | 本
umbrella | umbrellas | 傘 | 本
flower | flowers | 花 | 本
knife | knives | ナイフ | 本
tie | ties | ネクタイ | 本
key | keys | 鍵 | 本
# machines
car | cars | 車 | 台
computer | computers | パソコン | 台
bicycle | bicycles | 自転車 | 台
camera | cameras | カメラ | 台
television | televisions | テレビ | 台
truck | trucks | トラック | 台
bus | buses | バス | 台
# instruments
piano | pianos | ピアノ | 台
guitar | guitars | ギター | 本
violin | violins | バイオリン | 本
flute | flutes | フルート | 本
# clothes
shirt | shirts | シャツ | 枚
sweater | sweaters | セーター | 枚
coat | coats | コート | 着
dress | dresses | ドレス | 着
hat | hats | 帽子 | 個
# small things
watch | watches | 時計 | 個
wallet | wallets | 財布 | 個
ball | balls | ボール | 個
cup | cups | カップ | 個
stone | stones | 石 | 個
toy | toys | おもちゃ | 個
present | presents | プレゼント | 個
package | packages | 荷物 | 個
# food
apple | apples | りんご | 個
orange | oranges | みかん | 個
egg | eggs | 卵 | 個
cake | cakes | ケーキ | 個
sandwich | sandwiches | サンドイッチ | 個
banana | bananas | バナナ | 本
fish | - | 魚 | 匹
bread | - | パン | 個
meat | - | 肉 | 個
soup | - | スープ | 杯
rice | - | ご飯 | 杯
vegetables | - | 野菜 | 個
# drinks
coffee | cups of coffee | コーヒー | 杯
tea | cups of tea | お茶 | 杯
water | glasses of water | 水 | 杯
milk | glasses of milk | 牛乳 | 杯
juice | glasses of juice | ジュース | 杯
beer | glasses of beer | ビール | 杯
# furniture
table | tables | テーブル | 台
desk | desks | 机 | 台
chair | chairs | 椅子 | 脚
bed | beds | ベッド | 台
box | boxes | 箱 | 個
bag | bags | かばん | 個
# parts of a house
window | windows | 窓 | 枚
door | doors | ドア | 枚
wall | walls | 壁 | 枚
roof | roofs | 屋根 | 枚
house | houses | 家 | 軒
tree | trees | 木 | 本
# matters
English | - | 英語 | 個
Japanese | - | 日本語 | 個
French | - | フランス語 | 個
math | - | 数学 | 個
history | - | 歴史 | 個
music | - | 音楽 | 個
tennis | - | テニス | 個
soccer | - | サッカー | 個
baseball | - | 野球 | 個
song | songs | 歌 | 曲
movie | movies | 映画 | 本
poem | poems | 詩 | 編
report | reports | 報告書 | 枚
story | stories | 話 | 個
newspaper | newspapers | 新聞 | 枚
medicine | - | 薬 | 個
dinner | - | 夕食 | 個
breakfast | - | 朝食 | 個
lunch | - | 昼食 | 個
homework | - | 宿題 | 個
radio | - | ラジオ | 個
news | - | ニュース | 個
shoes | - | 靴 | 足
socks | - | 靴下 | 足
glasses | - | 眼鏡 | 個
thief | thieves | 泥棒 | 人
"""

BARE = {"English", "Japanese", "French", "math", "history", "music", "tennis", "soccer", "baseball"}


@dataclass(frozen=True)
class Noun:
    """A noun; `plural` is empty where it cannot be counted."""

    english: str
    plural: str
    japanese: str
    counter: str
    group: str

    @property
    def without_article(self) -> bool:
        """Languages, subjects of study and games."""
        return self.english in BARE

    @property
    def always_plural(self) -> bool:
        """Shoes are, glasses are."""
        return self.english in {"shoes", "socks", "glasses", "vegetables"}

    @property
    def human(self) -> bool:
        """A person."""
        return self.counter == "人"

    @property
    def animate(self) -> bool:
        """What いる is said of: people and animals."""
        return self.group in {"people", "small animals", "big animals"}


@dataclass(frozen=True)
class Name:
    """A first name."""

    english: str
    japanese: str
    male: bool


@dataclass(frozen=True)
class Kin:
    """A relative: one Japanese word for one's own, another for other people's."""

    english: str
    own: str
    others: str
    male: bool


def _read() -> dict[str, Noun]:
    group, nouns = "", {}
    for line in TABLE.strip().splitlines():
        if line.startswith("#"):
            group = line.removeprefix("# ")
        else:
            english, plural, japanese, counter = line.split(" | ")
            nouns[english] = Noun(english, plural.replace("-", ""), japanese, counter, group)
    return nouns


NOUNS = _read()
GROUPS: dict[str, list[Noun]] = {}
for _noun in NOUNS.values():
    GROUPS.setdefault(_noun.group, []).append(_noun)
GROUPS["animals"] = GROUPS["small animals"] + GROUPS["big animals"]

NAMES = [
    Name(english, japanese, male)
    for male, table in (
        (
            True,
            "Tom トム,Ken ケン,John ジョン,Peter ピーター,Paul ポール,Jack ジャック,Mike マイク,David デイビッド",
        ),
        (
            False,
            "Mary メアリー,Emi エミ,Anna アンナ,Lisa リサ,Jane ジェーン,Lucy ルーシー,Kate ケイト,Alice アリス",
        ),
    )
    for english, japanese in (entry.split(" ") for entry in table.split(","))
]
SURNAMES = [
    ("Tanaka", "田中"),
    ("Sato", "佐藤"),
    ("Suzuki", "鈴木"),
    ("Yamada", "山田"),
    ("Ito", "伊藤"),
    ("Mori", "森"),
]
KIN = [
    Kin("mother", "母", "お母さん", male=False),
    Kin("father", "父", "お父さん", male=True),
    Kin("younger sister", "妹", "妹さん", male=False),
    Kin("younger brother", "弟", "弟さん", male=True),
    Kin("older sister", "姉", "お姉さん", male=False),
    Kin("older brother", "兄", "お兄さん", male=True),
    Kin("grandmother", "祖母", "おばあさん", male=False),
    Kin("grandfather", "祖父", "おじいさん", male=True),
]


def nouns_of(names: str) -> list[Noun]:
    """Nouns by comma-separated names and group names."""
    found: list[Noun] = []
    for name in names.split(", "):
        found += GROUPS[name] if name in GROUPS else [NOUNS[name]]
    return found
