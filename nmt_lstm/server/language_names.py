"""English names of languages by their codes of ISO 639."""

from __future__ import annotations

__all__ = ["NAMES"]

_TABLE = """
aa Afar; ab Abkhazian; af Afrikaans; ak Akan; am Amharic; an Aragonese; ar Arabic; as Assamese; av Avaric; ay Aymara;
az Azerbaijani; ba Bashkir; be Belarusian; bg Bulgarian; bm Bambara; bn Bengali; bo Tibetan; br Breton; bs Bosnian;
ca Catalan; ce Chechen; co Corsican; cs Czech; cv Chuvash; cy Welsh; da Danish; de German; dv Divehi; dz Dzongkha; ee Ewe;
el Greek; en English; eo Esperanto; es Spanish; et Estonian; eu Basque; fa Persian; ff Fula; fi Finnish; fj Fijian;
fo Faroese; fr French; fy Western Frisian; ga Irish; gd Scottish Gaelic; gl Galician; gn Guarani; gu Gujarati; gv Manx;
ha Hausa; he Hebrew; hi Hindi; hr Croatian; ht Haitian Creole; hu Hungarian; hy Armenian; ia Interlingua; id Indonesian;
ie Interlingue; ig Igbo; io Ido; is Icelandic; it Italian; iu Inuktitut; ja Japanese; jv Javanese; ka Georgian; kg Kongo;
ki Kikuyu; kk Kazakh; kl Kalaallisut; km Khmer; kn Kannada; ko Korean; ks Kashmiri; ku Kurdish; kv Komi; kw Cornish;
ky Kyrgyz; la Latin; lb Luxembourgish; lg Ganda; li Limburgish; ln Lingala; lo Lao; lt Lithuanian; lv Latvian; mg Malagasy;
mh Marshallese; mi Maori; mk Macedonian; ml Malayalam; mn Mongolian; mr Marathi; ms Malay; mt Maltese; my Burmese;
nb Norwegian; nd North Ndebele; ne Nepali; nl Dutch; nn Norwegian Nynorsk; no Norwegian; nv Navajo; ny Chichewa; oc Occitan;
oj Ojibwa; om Oromo; or Odia; os Ossetian; pa Punjabi; pb Portuguese (Brazil); pi Pali; pl Polish; ps Pashto; pt Portuguese;
qu Quechua; rm Romansh; rn Rundi; ro Romanian; ru Russian; rw Kinyarwanda; sa Sanskrit; sc Sardinian; sd Sindhi;
se Northern Sami; sg Sango; si Sinhala; sk Slovak; sl Slovenian; sm Samoan; sn Shona; so Somali; sq Albanian; sr Serbian;
ss Swati; st Southern Sotho; su Sundanese; sv Swedish; sw Swahili; ta Tamil; te Telugu; tg Tajik; th Thai; ti Tigrinya;
tk Turkmen; tl Tagalog; tn Tswana; to Tonga; tr Turkish; ts Tsonga; tt Tatar; tw Twi; ty Tahitian; ug Uyghur; uk Ukrainian;
ur Urdu; uz Uzbek; ve Venda; vi Vietnamese; vo Volapuk; wa Walloon; wo Wolof; xh Xhosa; yi Yiddish; yo Yoruba; za Zhuang;
zh Chinese; zt Chinese (traditional); zu Zulu
"""
NAMES: dict[str, str] = {
    code: name for entry in _TABLE.split(";") for code, _, name in [entry.strip().partition(" ")]
}
"""Name by code, such as "de": "German"."""
