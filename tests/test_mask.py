"""Masking of personal data. Every person, number and address here is invented."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mask import WordList, find_names, mask_patterns, mask_personal_data, replace_spans

PATTERNS = [
    # telephone
    ("080-0000-1234に電話ください", "[電話]に電話ください"),
    ("０８０－００００－１２３４に電話ください", "[電話]に電話ください"),
    ("連絡先は08000001234です", "連絡先は[電話]です"),
    ("090 0000 1234まで", "[電話]まで"),
    ("TEL:03-0000-1234", "TEL:[電話]"),
    ("(03)0000-1234にかけた", "[電話]にかけた"),
    ("045（000）1234が自宅です", "[電話]が自宅です"),
    ("+81-80-0000-1234", "[電話]"),
    ("080ー0000ー1234です", "[電話]です"),  # the long vowel mark typed for a hyphen
    ("080−0000−1234です", "[電話]です"),  # the minus sign
    ("080‐0000‐1234です", "[電話]です"),  # the true hyphen
    ("080の0000の1234です", "[電話]です"),  # as spoken
    ("〇八〇の〇〇〇〇の一二三四です", "[電話]です"),
    ("ゼロハチゼロ、ゼロゼロゼロゼロ、イチニサンヨンです", "[電話]です"),
    ("携帯は0000-1234です", "携帯は[電話]です"),  # without the area code: the word before tells
    # e-mail, address of a page, account
    ("taro.yamada@example.comに送って", "[メール]に送って"),
    ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐへ", "[メール]へ"),
    ("taro+shop@mail.example.co.jp", "[メール]"),
    ("taro_y@example", "[メール]"),
    ("taroアットマークexampleドットcom", "[メール]"),
    ("https://example.com/orders/1234567?u=taro を見て", "[URL] を見て"),
    ("http://example.com/users/hanako", "[URL]"),
    ("example.com/mypage/98765が開かない", "[URL]が開かない"),
    ("Twitterの@hanako_0000です", "Twitterの[アカウント]です"),
    ("インスタのID：hana.sato88", "インスタのID：[アカウント]"),
    ("LINE IDは taro1234 です", "LINE IDは [アカウント] です"),
    # postal code and address
    ("〒100-0000", "[郵便番号]"),
    ("〒１００－００００ 東京都", "[郵便番号] 東京都"),
    ("郵便番号は1000000です", "郵便番号は[郵便番号]です"),
    ("住所 100-0000 です", "住所 [郵便番号] です"),
    ("東京都新宿区架空町1-2-3に届けて", "[住所]に届けて"),
    ("東京都新宿区架空町１－２－３", "[住所]"),
    ("神奈川県横浜市西区架空が丘3丁目4番5号です", "[住所]です"),
    ("大阪府堺市北区架空町二丁目三番地", "[住所]"),
    ("さいたま市大宮区架空町1-2", "[住所]"),
    ("架空町3丁目5番地2号に住む", "[住所]に住む"),
    ("架空ヶ丘2-14-8です", "[住所]です"),
    ("札幌市中央区北一条西2丁目3-4架空ハイツ203号室です", "[住所]です"),
    ("横浜市西区架空町5-6 コーポ架空101", "[住所]"),
    ("横浜市西区架空町5-6 コーポひなた203に配送", "[住所]に配送"),
    ("長野県架空郡架空村大字架空1234番地", "[住所]"),
    # cards, accounts, numbers
    ("4000-0000-0000-0002で払った", "[カード番号]で払った"),
    ("４０００ ００００ ００００ ０００２", "[カード番号]"),
    ("4000000000000002", "[カード番号]"),
    ("カードは****-****-****-1234", "カードは[カード番号]"),
    ("普通 0123456に振込", "普通 [口座番号]に振込"),
    ("口座番号：０１２３４５６", "口座番号：[口座番号]"),
    ("会員番号A0012345の者です", "会員番号[番号]の者です"),
    ("会員番号は 0012345 です", "会員番号は [番号] です"),
    ("注文番号：20261103-0012が届かない", "注文番号：[番号]が届かない"),
    ("注文番号 ORD-2026-000123", "注文番号 [番号]"),
    ("ORD-2026-0000123の件", "[番号]の件"),
    ("お客様番号１２３４５６", "お客様番号[番号]"),
    ("契約ID「KY-778899」", "契約ID「[番号]」"),
    ("お問い合わせ番号0000-1234-5678", "お問い合わせ番号[番号]"),
    ("受付No.881234", "受付No.[番号]"),
    ("ユーザーID: hanako_s", "ユーザーID: [番号]"),
    ("伝票は1234-5678-9012です", "伝票は[番号]です"),
    ("カードの下4桁は1234です", "カードの下4桁は[番号]です"),
    ("下四桁が９８７６のカード", "下四桁が[番号]のカード"),
    ("末尾5678の端末", "末尾[番号]の端末"),
    ("マイナンバー番号は123456789018", "マイナンバー番号は[番号]"),
    ("暗証番号1234を忘れた", "暗証番号[暗証番号]を忘れた"),
    # birth dates
    ("生年月日は1985年4月12日です", "生年月日は[生年月日]です"),
    ("昭和60年4月12日生まれです", "[生年月日]生まれです"),
    ("S60.4.12生", "[生年月日]生"),
    ("生年月日：１９８５／０４／１２", "生年月日：[生年月日]"),
    ("誕生日は4月12日です", "誕生日は[生年月日]です"),
    ("平成2年生まれの娘", "[生年月日]生まれの娘"),
    ("生年月日19850412で登録", "生年月日[生年月日]で登録"),
    ("昭和四十年五月三日生まれの母", "[生年月日]生まれの母"),
    ("hanako〔at〕example.jpに返信を", "[メール]に返信を"),
    ("インスタは kao_ri.0101 です", "インスタは [アカウント] です"),
    ("車のナンバーは架空 300 あ 12-34です", "車のナンバーは[車両番号]です"),
    ("架空マンション305号室です", "[住所]です"),
    ("IPアドレス192.168.10.25から", "IPアドレス[番号]から"),
    # names a label or an introduction gives away
    ("氏名：架空 花子", "氏名：[氏名]"),
    ("フリガナ：カクウ ハナコ", "フリガナ：[氏名]"),
    ("Hanako Kakuuと申します", "[氏名]と申します"),
    ("MS. Kakuu was kind", "MS. [氏名] was kind"),
    ("カクウハナコ名義の口座", "[氏名]名義の口座"),
    ("会員氏名：KAKUU HANAKO\n", "会員氏名：[氏名]\n"),
    ("贈り主：架空 花子、", "贈り主：[氏名]、"),
    # secrets said aloud
    ("パスワードがね、kakuu88なんだけど入れない", "パスワードがね、[暗証番号]なんだけど入れない"),
    ("ログインパスワードは Mikan-2026! です", "ログインパスワードは [暗証番号] です"),
    ("オートロックの番号は3571です", "オートロックの番号は[暗証番号]です"),
    ("合言葉は「うさぎの耳」です", "合言葉は「[暗証番号]」です"),
    ("OP:暗証番号をお願いします。\nCU:えっと、0417です。", "OP:暗証番号をお願いします。\nCU:えっと、[暗証番号]です。"),
    ("【担当】生年月日は?\n【顧客】S49.12.3", "【担当】生年月日は?\n【顧客】[生年月日]"),
    ("CU:0417です。", "CU:[番号]です。"),  # the agent's question is cut away before a night stores the words
    # numbers as speech brings them
    ("製造番号ね、BX20-0048812って書いてある", "製造番号ね、[番号]って書いてある"),
    ("会員番号っていうのが、えーと、10045567ですかね", "会員番号っていうのが、えーと、[番号]ですかね"),
    ("マイナンバーの番号は1234 5678 9018です", "マイナンバーの番号は[番号]です"),
    ("供給地点特定番号は03-0011-2233-4455-6677-8899", "供給地点特定番号は[番号]"),
    ("テナントID tn-0098812の件", "テナントID [番号]の件"),
    ("引換証番号 NH 447120。車輪が", "引換証番号 [番号]。車輪が"),
    ("090、えーと、0000の1234です", "[電話]です"),
    ("070のハイフン0000ハイフン1234", "[電話]"),
    ("086・000・5567まで", "[電話]まで"),
    ("taroアットexample.jp", "[メール]"),
    ("60年7月7日生まれ、昭和です", "[生年月日]生まれ、昭和です"),
    ("黒の車で相模 330 ね ・5-23、です", "黒の車で[車両番号]、です"),
    ("SSIDのパスワードが8f3kd92ma0。", "SSIDのパスワードが[暗証番号]。"),
    # addresses as people say them
    ("さいたま市大宮区架空町一丁目二番地三です", "[住所]です"),
    ("京都市左京区架空町77、です", "[住所]、です"),
    ("倉敷市架空998の3です", "[住所]です"),
    ("練馬区架空3丁目の22番6号の前", "[住所]の前"),
    ("コーポさくら205の者です", "[住所]の者です"),
]

NAMES = [
    ("窓口の田中さんが親切でした", "窓口の[氏名]さんが親切でした"),
    ("佐々木と申します。注文の件です", "[氏名]と申します。注文の件です"),
    ("山田太郎です。届きません", "[氏名]です。届きません"),
    ("店員の高橋が無愛想でした", "店員の[氏名]が無愛想でした"),
    ("店長の岡田に謝ってほしい", "店長の[氏名]に謝ってほしい"),  # 岡田 is a place in the dictionary
    ("田中店長はいつも笑顔です", "[氏名]店長はいつも笑顔です"),
    ("オペレーターの長野が説明してくれた", "オペレーターの[氏名]が説明してくれた"),
    ("千葉さんは親切", "[氏名]さんは親切"),
    ("福岡と申します", "[氏名]と申します"),
    ("林さんに聞いた", "[氏名]さんに聞いた"),
    ("東さんが対応", "[氏名]さんが対応"),
    ("さとうさんの説明がわかりやすい", "[氏名]さんの説明がわかりやすい"),
    ("はやしと申します", "[氏名]と申します"),
    ("タカハシ様宛の荷物が届いた", "[氏名]様宛の荷物が届いた"),
    ("名前はサトウユウコです", "名前は[氏名]です"),
    ("オペレーターのミユキさんに感謝", "オペレーターの[氏名]さんに感謝"),
    ("グエンさんの接客が丁寧", "[氏名]さんの接客が丁寧"),
    ("ジョン・スミスと申します", "[氏名]と申します"),
    ("Tanakaさんに電話した", "[氏名]さんに電話した"),
    ("娘の名前は陽葵です", "娘の名前は[氏名]です"),
    ("息子の大翔が使っています", "息子の[氏名]が使っています"),
    ("主人の健太が契約者です", "主人の[氏名]が契約者です"),
    ("母(佐藤和子)の契約です", "母([氏名])の契約です"),
    ("名義は渡辺健一です", "名義は[氏名]です"),
    ("小鳥遊様の対応に感動", "[氏名]様の対応に感動"),
    ("カスタマーの伊藤氏の対応が悪い", "カスタマーの[氏名]氏の対応が悪い"),
    ("鈴木一郎と鈴木花子で契約", "[氏名]と[氏名]で契約"),
    ("お世話になっております、中村です", "お世話になっております、[氏名]です"),
    ("会員番号[番号]の宮崎です。解約したい", "会員番号[番号]の[氏名]です。解約したい"),
    ("早く直してください。\n宮崎", "早く直してください。\n[氏名]"),  # a signature
    ("松下です。届きません", "[氏名]です。届きません"),  # a firm in the dictionary
    ("はい、林です。", "はい、[氏名]です。"),  # a wood
    ("経理の宮本です。印刷できません", "経理の[氏名]です。印刷できません"),
    ("名前は西です。", "名前は[氏名]です。"),
    ("八木っていう人に言われた", "[氏名]っていう人に言われた"),
    ("妻が千鶴、母が和子です", "妻が[氏名]、母が[氏名]です"),
    ("娘のひなたも通っています", "娘の[氏名]も通っています"),
    ("母の鈴木ヨシです", "母の[氏名]です"),
    ("サイトウミキです。海外で使えない", "[氏名]です。海外で使えない"),
    ("名前はTAKAHASHI YUKOです", "名前は[氏名]です"),
    ("Shota Ninomiyaです。遅い", "[氏名]です。遅い"),
    ("担当のKevinです。", "担当の[氏名]です。"),
    ("バイトの大地くんは丁寧でした", "バイトの[氏名]くんは丁寧でした"),
    ("宛名が富永じゃなくて冨長になってる", "宛名が[氏名]じゃなくて[氏名]になってる"),
    ("連絡先[電話] 浜口", "連絡先[電話] [氏名]"),
    ("A:お名前をお願いします。\nC:つとむ、ひらがなです。", "A:お名前をお願いします。\nC:[氏名]、ひらがなです。"),
    ("直してください。\n市原\n[電話]", "直してください。\n[氏名]\n[電話]"),
    ("直してください。\nHanako Kakuu", "直してください。\n[氏名]"),
    ("相原さんに伝えました。相原が忘れたようです", "[氏名]さんに伝えました。[氏名]が忘れたようです"),
]

KEPT = [
    # toll-free and shared-cost numbers are the company's
    "0120-000-000に何度かけてもつながらない",
    "０１２０－０００－０００がつながらない",
    "0570-000-000は有料",
    "0800-000-0000に電話した",
    "0120000000はつながらない",
    # amounts, counts, versions, codes
    "12,000円も払ったのに",
    "12000000円の見積もり",
    "10000-20000円くらい",
    "3-4回使った",
    "2-3日で届いた",
    "月額3980円で20GB",
    "バージョン10.15.7に更新したら落ちる",
    "iOS 17.1.2で固まる",
    "エラーE-10482が出る",
    "エラーコード 80072EFD と表示",
    "エラーコード:0x80070005が出た",
    "型番ABC-123456を買った",
    "WH-1000XM5の音がいい",
    "JANコード4900000000000の商品",
    "第3世代のモデル",
    "5分待って30分話した",
    "10-12時の指定で届かない",
    "No.1の品ぞろえ",
    "4.5点くらい",
    "1/2の量でいい",
    # dates of visit and use
    "2026年11月3日に来店しました",
    "2026/11/03に注文",
    "20261103に注文した",
    "11月3日の午後に届いた",
    "11/3 21:05に電話した",
    "2015年4月から利用しています",
    "1998年4月1日から使っている",
    "令和8年11月3日に契約",
    "誕生日クーポンが11月30日まで",
    "昭和40年創業の店",
    # places
    "東京都に住んでいます",
    "大阪市内の店舗",
    "横浜市西区の店舗で買った",
    "福岡の店舗は遠い",
    "松本の店で買いました",
    "宮崎からの発送が遅い",
    "東京駅前店のスタッフが親切",
    "全国各地区の1番店",
    "夫の福岡の実家に送った",
    "市場で2-3個買った",
    # shops, brands, public pages and handles
    "高橋歯科の予約が取れない",
    "田中商店の品は新鮮",
    "山田うどんで食べた",
    "ヤマダ電機のポイントがたまる",
    "マツモトキヨシで買った",
    "イオンとドコモの提携",
    "ソフトバンクの回線が遅い",
    "高島屋の包装がきれい",
    "ドコモさんには感謝",
    "ヤマト運輸さんが来ない",
    "楽天さんはポイントが多い",
    "https://example.com/faq を見た",
    "@cosmeの口コミを見て買った",
    # words that look like names
    "お客様の声を聞いてほしい",
    "店員さんが親切",
    "スタッフの皆様に感謝",
    "営業さんの対応が早い",
    "衛生士さんの説明が丁寧",
    "業者様が来た",
    "まるで神様のような対応",
    "Aさんという方が担当",
    "仲居さんの気配りがよい",
    "305号室に泊まった",
    "本人名義の口座",
    "LINEは 13.2.1 に更新した",
    "Apple Watchです",
    "息子さんの端末が壊れた",
    "月イチで通っています",
    "スミスマシンの重さは",
    "ピラティスの枠が少ない",
    "森のような香り",
    "仕様が変わって困る",
    "会員番号がわからない",
    "注文番号を3回聞かれた",
    "会員番号が8桁で覚えにくい",
    "担当者：不明",
    "名前:任意",
    "本田じゃなくてトヨタの車です",  # a car
    "羽田から乗る便が遅れた",
    "高田馬場の店で買った",
    "原宿や新大久保でも買いたい",
    "森の恵みセットが好き",
    "泉のように湧く加湿器",
    "大和芋が割れていた",
    "田中動物病院で診てもらった",
    "大工さんの腕がいい",
    "林業の本を探しています",
    "うちは3人家族です",
    "暗証番号4桁を忘れた",
    "パスワードを3回間違えた",
    "パスワードのリセットができない",
    "クーポンコードWINTER500が使えない",
    "部品番号はPCB-20451です",
    "Chrome 130で見ています",
    "羽田の12番搭乗口",
    "HTTP 429が1時間に200回出る",
    "部屋番号は305でした",
    "Amazon Primeです",
]


@pytest.mark.parametrize(("written", "expected"), PATTERNS)
def test_personal_strings_that_a_pattern_can_tell_become_typed_marks(written: str, expected: str) -> None:
    assert mask_patterns(written) == expected


@pytest.mark.parametrize("written", KEPT)
def test_what_is_not_personal_stays_readable_by_pattern(written: str) -> None:
    assert mask_patterns(written) == written


@pytest.mark.parametrize(("written", "expected"), NAMES)
def test_personal_names_are_masked_and_the_honorific_stays(written: str, expected: str, parser) -> None:
    (doc,) = parser.pipe([written])
    assert replace_spans(written, find_names(doc))[0] == expected


@pytest.mark.parametrize("written", KEPT)
def test_shops_places_and_ordinary_people_keep_their_words(written: str, parser) -> None:
    (doc,) = parser.pipe([written])
    assert find_names(doc) == []


@pytest.mark.usefixtures("parser")
def test_one_text_with_everything_keeps_only_what_is_not_personal() -> None:
    text = "山田花子と申します。０８０－００００－１２３４、hanako@example.com、会員番号 A0012345。0120-000-000は不通"
    expected = "[氏名]と申します。[電話]、[メール]、会員番号 [番号]。0120-000-000は不通"
    assert mask_personal_data(text) == expected


@pytest.mark.usefixtures("parser")
def test_full_width_text_that_is_not_personal_is_left_as_it_was_written() -> None:
    assert mask_personal_data("ﾎﾟｲﾝﾄが１００点！") == "ﾎﾟｲﾝﾄが１００点！"


def test_half_width_kana_before_a_number_does_not_shift_the_mask() -> None:
    assert mask_patterns("ﾃﾞﾝﾜは０８０－００００－１２３４です") == "ﾃﾞﾝﾜは[電話]です"


@pytest.mark.usefixtures("parser")
def test_masking_personal_data_twice_changes_nothing() -> None:
    for written, _ in (*PATTERNS[::6], *NAMES[::4]):
        once = mask_personal_data(written)
        assert mask_personal_data(once) == once


PIECES = st.sampled_from(
    ["080", "0000", "1234", "-", "ー", "の", " ", "@", "example", ".com", "会員番号", "A", "東京都", "市", "町", "3丁目", "#"]
    + ["[電話]", "[番号]", "[", "]", "です", "昭和60年4月12日", "〒", "１２３", "http://", "/", "ID", "ｶﾞ", "円", "\n", "㈱", "①"]
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_masking_patterns_twice_changes_nothing(text: str) -> None:
    once = mask_patterns(text)
    assert mask_patterns(once) == once


@given(st.text(max_size=60))
def test_a_text_without_digits_or_latin_is_never_touched(text: str) -> None:
    text = re.sub(r"[\d\w@＠:：]", "", text)
    assert mask_patterns(text) == text


@given(st.text(alphabet="あいうabc", max_size=20), st.data())
def test_positions_around_replaced_spans_point_at_the_same_characters(text: str, data) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    masked, moved = replace_spans(text, spans)
    assert len(moved) == len(text) + 1
    assert moved[-1] == len(masked)
    assert moved == sorted(moved)
    for i, letter in enumerate(text):
        if all(not start <= i < end for start, end in spans):
            assert masked[moved[i]] == letter


def test_a_long_text_of_digits_is_masked_in_reasonable_time() -> None:
    for hostile in ("0" * 50_000, "0-" * 20_000, "a@" * 20_000, "市" * 20_000, "会員番号" * 10_000, "一" * 20_000):
        mask_patterns(hostile)


WORDS = WordList(mask=("架空電機", "ひみつ計画", "Kakuu"), keep=("小林製麺", "AB-1234567", "0000-1234", "佐々木"))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("架空電機の対応が遅い", "[伏字]の対応が遅い"),
        ("ＫＡＫＵＵの件、kakuuの件", "[伏字]の件、[伏字]の件"),
        ("Kakuuraは別の語です", "Kakuuraは別の語です"),  # part of a longer word
        ("ひみつ計画書", "[伏字]書"),
    ],
)
def test_words_to_mask_become_marks_wherever_they_stand(written: str, expected: str) -> None:
    assert mask_patterns(written, WORDS) == expected
    assert mask_patterns(expected, WORDS) == expected


def test_a_kept_code_stays_and_a_kept_word_never_hides_a_telephone_number() -> None:
    assert mask_patterns("AB-1234567を買った") == "[番号]を買った"
    assert mask_patterns("AB-1234567を買った", WORDS) == "AB-1234567を買った"
    assert mask_patterns("電話080-0000-1234", WORDS) == "電話[電話]"
    assert mask_patterns("携帯は0000-1234です", WORDS) == "携帯は[電話]です"


def test_a_kept_word_is_no_name(parser) -> None:
    (doc,) = parser.pipe(["小林製麺の小林さん、佐々木さん"])
    assert [doc.text[slice(*span)] for span in find_names(doc, WORDS)] == ["小林"]


def test_a_word_on_both_lists_is_masked() -> None:
    assert mask_patterns("ひみつ計画", WordList(mask=("ひみつ計画",), keep=("ひみつ計画",))) == "[伏字]"


def test_a_word_of_one_character_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two characters"):
        WordList(keep=("林",))


def test_the_digest_changes_with_the_lists_not_with_their_order() -> None:
    assert WordList().digest == ""
    assert WordList(mask=("架空", "電機")).digest == WordList(mask=("電機", "架空")).digest
    assert len({WordList(mask=("架空",)).digest, WordList(keep=("架空",)).digest, ""}) == 3


@settings(max_examples=100)
@given(st.lists(st.sampled_from(["架空", "電機", "計画", "080-0000-1234", "[電話]", "の", "a", "Kakuu", " "]), max_size=8).map("".join))
def test_masking_with_lists_twice_changes_nothing(text: str) -> None:
    words = WordList(mask=("架空電", "画", "伏字")[:1] + ("計画", "Kakuu"))
    once = mask_patterns(text, words)
    assert mask_patterns(once, words) == once
