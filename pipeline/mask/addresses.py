"""Addresses to the block: from the town on, with what names prefecture and city before it."""

from pipeline.mask.pattern import COUNTER, NOT_COUNTED, pattern

_PREFECTURE = (
    "北海道|東京都|(?:大阪|京都)府|(?:青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|神奈川|新潟|富山|石川|福井|山梨"
    "|長野|岐阜|静岡|愛知|三重|滋賀|兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分"
    "|宮崎|鹿児島|沖縄)県"
)
_KANA_CITY = (
    "さいたま|つくば|つくばみらい|いわき|ひたちなか|かすみがうら|みどり|むつ|あきる野|うるま|つがる|さくら|いすみ|ふじみ野|みよし|あま"
)
_KANJI = r"[一-龥々ヶケノ之]"
_IN_TOWN = rf"(?:(?!丁目|番地){_KANJI})"  # a town is not its own block: 架空町一丁目
_AREA = rf"(?>(?:{_KANA_CITY}|{_KANJI}{{1,6}}?)[市区町村郡] ?)"  # atomic: a run of 市 must not cost its square
_JO = r"(?:[東西南北][0-9]{1,2}条(?:通り?)?[東西南北]?)"  # Sapporo counts its streets
_TOWN = rf"(?:{_JO}|(?:{_IN_TOWN}|[ァ-ヴー]){{0,12}}(?:[がのつ]{_IN_TOWN}{{1,4}})?|[ぁ-ん]{{2,8}}{_IN_TOWN}{{0,3}}) ?"
_NUM = "(?:[0-9]{1,5}|[一二三四五六七八九十]{1,3})"
_CHOME = rf"{_NUM} ?丁目 ?の?"
_LOT = rf"(?: ?{_NUM} ?(?:番地?の?|号|[-の]) ?)*{_NUM}(?:番地|番|号)?"
_DASHED = r"[0-9]{1,4}(?: ?- ?[0-9]{1,4}){1,4}(?:号|番地?)?"
_SPOKEN_DASHED = r"[0-9]{1,4}(?: ?の ?[0-9]{1,4}){1,4}(?:号|番地?)?"
_DASHED_3 = r"[0-9]{1,3} ?- ?[0-9]{1,3} ?- ?[0-9]{1,4}(?:-[0-9]{1,4})?"
_BANCHI = rf"{_NUM} ?(?:番地(?: ?の? ?{_NUM}(?:号)?)?|番 ?-?の?[0-9]{{1,4}} ?号)"
_HOUSE = (
    "ハイツ|コーポ|マンション|アパート|メゾン|レジデンス|パレス|ハウス|タワー|ヴィラ|コート|プラザ|ガーデン|テラス|ハイム|シャトー"
    "|ビル|荘|寮|団地"
)
_SAID_DIGIT = "[0-9〇零一二三四五六七八九十百]"
_SAID = rf"{_SAID_DIGIT}{{1,5}}"
_SAID_AREA = rf"(?!住所)(?<!住)(?:{_AREA}{{1,3}}の?(?:えーと?|えっと|あの)?)?"
_SAID_TOWN = rf"{_KANJI}{{1,5}}(?:がの?)?[町丘台谷浜村]"
_SAID_ROOM = rf"(?:の?[一-龥ァ-ヴー]{{0,8}}(?:{_HOUSE})[一-龥ァ-ヴー]{{0,6}}の?{_SAID}(?:号室?)?)?"
_FLATS = "ハイツ|コーポ|マンション|アパート|メゾン|レジデンス|ハイム|シャトー|荘"
_BUILDING = (
    rf"(?:[ 、]?[一-龥ァ-ヴーA-Za-z・]{{0,12}}(?:{_HOUSE})"
    r"(?:[ぁ-ん一-龥ァ-ヴー]{1,10}(?= ?[0-9])|[一-龥ァ-ヴーA-Za-z・]{0,6}) ?(?:[0-9A-Z]{1,2}(?:棟|-))?(?:[0-9]{0,4}|[A-Z](?![A-Za-z]))"
    r"(?:号室|号棟|号|階|F)?|[ -]?[0-9]{1,4}(?:号室|号棟)| ?[A-Za-zァ-ヴー]{3,12}[一-龥]{0,4} ?[0-9]{3,4}(?:号室?)?(?![0-9]))?"
)

ADDRESSES = (
    pattern(
        "[住所]",
        rf"(?:{_PREFECTURE}) ?{_AREA}{{0,3}}{_TOWN}(?:{_CHOME}{_LOT}|{_BANCHI}|{_DASHED}|{_SPOKEN_DASHED}|{_CHOME}"
        rf"|[0-9]{{1,5}}(?![.:/])){NOT_COUNTED}{_BUILDING}",
    ),
    pattern(
        "[住所]",
        rf"{_AREA}{{1,3}}+{_TOWN}(?:{_CHOME}{_LOT}|{_BANCHI}|{_DASHED}|{_SPOKEN_DASHED}|{_CHOME}(?!の?[^。、]{{0,4}}店))"
        rf"{NOT_COUNTED}{_BUILDING}",
    ),
    pattern(
        "[住所]",
        rf"{_AREA}{{1,3}}+(?:{_IN_TOWN}{{1,10}}[町丘台通条郷島]|(?<=[町村]))[0-9]{{1,4}}(?![.:/0-9])"
        rf"(?! ?(?:{COUNTER}|番(?!地)|[A-Za-z])){_BUILDING}",
    ),
    pattern(
        "[住所]",
        rf"(?:(?!番地|丁目){_KANJI}){{2,8}} ?(?:{_CHOME}{_LOT}|{_BANCHI}|{_DASHED_3}){NOT_COUNTED}{_BUILDING}"
        rf"|(?:[ぁ-ん]{{1,6}}[町丘台]|{_KANJI}{{1,4}}[がの]{_KANJI}{{1,3}}) ?(?:{_CHOME}{_LOT}|{_BANCHI}|{_DASHED_3})"
        rf"{NOT_COUNTED}{_BUILDING}",
    ),
    pattern(
        "[住所]",
        rf"住所[はが:、 ]{{1,3}}(?P<v>[^。、\n]{{0,20}}?(?:{_DASHED}|{_BANCHI}){NOT_COUNTED}{_BUILDING})",
    ),
    pattern("[住所]", rf"[一-龥ァ-ヴーA-Za-z・]{{1,12}}(?:{_HOUSE})[一-龥ァ-ヴーA-Za-z・]{{0,6}} ?[0-9]{{2,4}}号室"),
    # 「緑が丘の三の七」「桂町十の二」: blocks as they are said, after a town.
    pattern("[住所]", rf"{_SAID_AREA}(?P<v>{_SAID_TOWN}の?{_SAID}(?:番地)?(?:の{_SAID}){{1,3}}(?!{_SAID_DIGIT}){NOT_COUNTED}{_SAID_ROOM})"),
    pattern("[住所]", rf"{_AREA}{{1,3}}の?{_KANJI}{{1,4}}の?{_SAID}(?:の{_SAID}){{1,3}}(?!{_SAID_DIGIT}){NOT_COUNTED}{_SAID_ROOM}"),
    pattern("[住所]", rf"{_AREA}{{1,3}}の?{_KANJI}{{1,6}}の?{_SAID}丁目の?{_SAID}(?:番地?)?(?:の{_SAID}){{0,3}}(?!{_SAID_DIGIT}){NOT_COUNTED}{_SAID_ROOM}"),
    pattern("[住所]", rf"[一-龥ァ-ヴー]{{0,8}}(?:{_FLATS})(?:[一-龥ァ-ヴー]|[ぁ-ん](?!の)){{0,8}}の?[〇零一二三四五六七八九]{{3,4}}(?:号室?)?(?!{_SAID_DIGIT})"),
    pattern("[住所]", rf"[一-龥ァ-ヴーA-Za-z・]{{0,10}}(?:{_FLATS})[一-龥ァ-ヴーA-Za-z・]{{1,10}}の[0-9]{{3,4}}(?:号室?)?(?![0-9,.-])(?! ?(?:{COUNTER}))"),
    pattern(
        "[住所]",
        rf"(?:(?:{_FLATS})(?:[一-龥ァ-ヴーA-Za-z・]{{1,10}}|[ぁ-ん]{{2,6}})|[一-龥ァ-ヴーA-Za-z・]{{1,10}}(?:{_FLATS}))"
        rf" ?[0-9]{{3,4}}(?![0-9,.-])(?:号室?)?(?! ?(?:{COUNTER}))",
    ),
)
