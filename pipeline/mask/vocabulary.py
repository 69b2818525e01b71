"""Words that tell a person from a shop, a place, a brand or just anybody."""

import re


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


HONORIFICS = _words("さん 様 さま サマ 氏 くん クン 君 ちゃん チャン 殿 女史 嬢")
TITLES = _words(
    """
    店長 副店長 部長 課長 係長 主任 社長 会長 専務 常務 院長 所長 室長 支店長 先生 医師 看護師 教授 弁護士 税理士
    チーフ リーダー マネージャー マネジャー コーチ トレーナー
    """
)
ROLES = _words(
    """
    担当 担当者 店員 スタッフ オペレーター オペレータ 係 係員 係の者 受付 営業 営業マン 責任者 窓口 販売員 配達員
    ドライバー アドバイザー 社員 従業員 上司 同僚 部下 友人 知人 友達 娘 息子 主人 夫 旦那 妻 嫁 父 母 祖父 祖母
    長男 次男 長女 次女 孫 兄 姉 弟 妹 甥 姪 彼氏 彼女 サポート アルバイト 新人 名前 お名前 氏名 名義 本名 旧姓
    契約者 代理人 者 バイト パート 運転手 大工 職人 ヘルパー 添乗員 検針員 駅員 作業員 講師 インストラクター
    カウンセラー 相談員 ケアマネ ケアマネージャー 大家 管理人 仲居 コンシェルジュ フロント 同行者 被保険者 加入者
    受取人 喪主 施工管理 経理 総務 情シス 義母 義父 義兄 義姉 義弟 義妹 フレンド 先輩 後輩 生徒 園児 贈り主 叔父
    叔母 伯父 伯母 従兄弟 パートナー 婚約者 お母様 お父様 ご主人 奥様 駅長 ネイリスト スタイリスト アイリスト エステティシャン 園長 塾長 校長 車掌 乗務員 客室乗務員
    美容師 薬剤師 保育士 介護士 栄養士 司書 板前 女将 調理師 整備士 技術者 エンジニア 電話口
    """
) | TITLES
LABELS = _words("名前 氏名 名義 本名 旧姓 契約者 担当 担当者 名字 苗字")
RELATIVES = _words(
    """
    娘 息子 主人 ご主人 夫 旦那 妻 嫁 父 母 祖父 祖母 長男 次男 長女 次女 孫 兄 姉 弟 妹 甥 姪 義母 義父 友人 友達
    フレンド 彼氏 彼女 お父さん お母さん お兄ちゃん お姉ちゃん 上の子 下の子 同行者 パートナー 婚約者
    """
)
SHOP = re.compile(
    r"(?:商店|支店|本店|[^ ]{0,3}店|屋|電機|電器|無線|堂|製作所|園|薬局|病院|医院|クリニック|歯科|眼科|[内外]科|整形|皮膚科|耳鼻|産婦人科|小児科|運輸|運送|銀行"
    r"|証券|建設|工務|不動産|ホテル|旅館|製菓|製薬|食品|酒造|水産|産業|工業|興業|物産|商事|商会|家具|楽器|珈琲|コーヒー|カメラ|スポーツ|うどん|ラーメン|農園"
    r"|牧場|茶|自動車|モータース|タクシー|交通|引越|塾|学園|大学|高校|小学校|幼稚園|保育園|美容|理容|駅|町|市|区|県|通り|公園|神社|寺|杯|賞|式|流|家|似|製"
    r"|ビル|マンション|空港|港|インター|マシン|号|丸|印|会館|貴金属|養蜂|ちゃんぽん|こまち|牛|焼|漬|ワイン|ビール|みかん|りんご|いちご|ホール|線)"
)
FIRM_END = re.compile(r"(?:商店|運輸|運送|電機|電器|無線|製菓|製薬|食品|銀行|証券|商事|商会|物産|工業|建設|不動産|病院|医院|歯科|薬局)$")
PROFESSION = re.compile(r"(?:士|師|員|官|者|手|屋|客|係|皆|神|仏|王|殿)$")
WORKER = re.compile(
    "(?:衛生|療法|保育|介護|看護|栄養|整備|運転|弁護|税理|会計|書|建築|美容|理容|調理|薬剤|整体|施術|指導|相談|配達|販売|清掃|警備|消防|技|教|講)[士師員]|仲居|司書|女将|板前|番頭|大将|巫女"
)
PEOPLE = _words(
    """
    客 お客 皆 みな 神 仏 王 殿 奥 嫁 姉 兄 父 母 子 孫 娘 婿 親 妹 弟 祖父 祖母 叔父 叔母 伯父 伯母 先方 相手 隣
    旦那 息子 業者 店 店員 店長 社長 先生 医者 患者 巨匠 若 姫 主 何 誰 他 方 外 人 仕 同 多 模 異 一 俺 貴 有難う
    大家 大工 職人 家主 農家 皆様 皆さん 若者 年寄り 赤 坊 嬢 巫女 仲居 王子 姫様 奥様 旦那様 何様 自分 誰か 誰も
    本人 当人 他人 友 仲間
    """
)
BRANDS = _words(
    """
    楽天 ヤマト 佐川 アマゾン セブン ローソン ファミマ イオン ヤマダ ヨドバシ ビックカメラ ニトリ ユニクロ ドコモ
    ソフトバンク トヨタ ホンダ スズキ マツダ ダイハツ スバル カインズ コメリ マツキヨ スギ ウエルシア ジャパネット
    ワークマン シマムラ しまむら ヤフー メルカリ クロネコ サザエ キティ ドラえもん アンパンマン ミッキー ピカチュウ
    サンタ サンタクロース 日産 三菱 日立 東芝 松屋 吉野家 高島屋 三越 伊勢丹 大丸 松坂屋 西友 東急 小田急 京王 西武
    東武 近鉄 阪急 阪神 京成 佐川急便 ヤマト運輸 福山通運 西濃 日通 大和ハウス 積水 明治 江崎グリコ 
    キユーピー カゴメ 井村屋 湖池屋 資生堂 花王 小林製薬 ソニー パナソニック シャープ サンヨー
    カシオ セイコー シチズン キヤノン キャノン ニコン リコー ブラザー エプソン オリンパス ヤマハ カワサキ ダイソン
    アイリス アップル グーグル マリオ ルイージ ピーチ ゼルダ クロちゃん
    """
)
PLACE_LABELS = _words("City Province County Country GPE_Other Station Region_Other Continental_Region")
PLACE_WORDS = _words("店舗 店 支店 実家 家 駅 会社 自宅 工場 倉庫 営業所 病院 学校 方 人 友人 友達 両親 おじ おば")
LATIN_BRANDS = _words(
    """
    amazon apple google microsoft yahoo docomo softbank rakuten sony honda suzuki toyota mazda subaru daihatsu
    nissan yamaha canon nikon casio seiko nintendo mario kirin asahi suntory kose shiseido kao muji uniqlo gu nitori
    aeon lawson mitsubishi hitachi toshiba panasonic sharp zoom excel iphone ipad android windows word outlook teams
    slack kindle prime netflix hulu disney starbucks mac zozo zozotown mercari paypay suica pasco icoca manaca
    nanaco waon edy visa master jcb amex agent customer op cu sv user bot ai pro mini max note sumaho miko kobe
    tokyo osaka kyoto nara nagoya sapporo japan
    """
)
# What one has or does, though the dictionary has it as a given name: 「娘の大学」「母の力」.
NOT_GIVEN = _words("成人 力 心 夢 愛 歩 大学 幸 金 希 望 未来 健康 実 春 秋 花 桜 翼 波 進 学 明 無理 希望 前 手 命 声 味")
PREFECTURES = _words(
    """
    青森 岩手 宮城 秋田 山形 福島 茨城 栃木 群馬 埼玉 千葉 新潟 富山 石川 福井 山梨 長野 岐阜 静岡 愛知 三重 滋賀 京都
    大阪 兵庫 奈良 鳥取 島根 岡山 広島 山口 徳島 香川 愛媛 高知 福岡 佐賀 長崎 熊本 大分 宮崎 沖縄
    """
)
# Words in kana before ちゃん and くん that are nobody's name.
CALLED_SO = _words("おばあ おじい おば おじ おにい おねえ おかあ おとう あか わん にゃん みな ねこ いぬ ばあ じい にい ねえ かあ とう ぼく")
# Nobody's name before さん, though the dictionary has them as one.
NOT_ADDRESSED = _words(
    """
    板 番 前 先 売 外 内 上 下 中 右 左 道 庭 花 空 病院 会社 工場 本 肉 魚 八百 床 米 酒 お花 郵便 銀行 犬 猫 象 熊
    亀
    """
)
# How an answer to 「お名前をお願いします」 begins that is none.
ASKED = re.compile(
    r"はい|いえ|いや|いいえ|すみ|すいま|それ|これ|あれ|さっき|何|ちょっと|私|僕|俺|主人|夫|妻|番号|電話|会員|同じ|確か|もう|今|え[ー、]|注文|先日|前回|本人"
    r"|個人|住所|メール|ログイン|登録|そう|ありがと|お世話|お願い|承知|了解|かしこ|少々|失礼|申し訳|大変|お客|契約|予約"
)
# 「経理の円谷です」「302号室の堀です」: what stands before の where someone says who he is.
AFFILIATION = (
    r"(?:[部課室係科店社校組階号]|経理|総務|営業|情シス|サポート|窓口|センター|受付|担当|商事|製作所|工業|在住|[0-9]年|保護者|管理人|大家|家族"
    r"|契約者|会員|母|父|妻|夫|娘|息子|孫|長男|長女|次男|次女|代理|出店者|応募者|利用者|責任者|店長|オーナー|株主|入居者)の"
)
