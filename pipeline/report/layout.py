"""How the tables of the analysis are laid out: title, a line on how to read it, columns."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column's header and how its values are told: text, quote, integer, points, percent, decimal or money."""

    header: str
    form: str = "text"


@dataclass(frozen=True)
class Layout:
    """A table without its rows; a column is written ``header:form``, or ``header`` where it holds text."""

    title: str
    note: str
    written: tuple[str, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in order."""
        return tuple(Column(*text.split(":")) for text in self.written)


LAYOUTS = {
    "priorities": Layout(
        "何から直すか",
        "効き目（点数への影響）×頻度×動きの順です。NPSを下げているもの、上げているもの、"
        "どちらとも言えないものの順に並べます。",
        ("順位:integer", "テーマ", "行動", "n:integer", "言及率:percent", "主な声", "その n:integer",
         "触れた人の点数差:points", "95%区間", "動き", "注意"),
    ),
    "drivers": Layout(
        "点数を動かしているもの",
        "同時に語られる他のテーマの分を除いた値で、一緒に語られるだけのテーマは大きく見えません。"
        "説明する割合は、点数のばらつき（R²）のうちその声で説明できる分、点数差は0〜10点の尺度での差です。"
        "判定は点数差の検定によります。",
        ("テーマ", "声", "n:integer", "説明する割合:percent", "触れた人の点数差:points", "95%区間",
         "NPSへの寄与:points", "寄与の95%区間", "判定", "注意"),
    ),
    "mismatches": Layout(
        "言葉と点数のずれ",
        "点数と言葉が反対を向いている人を、ずれの大きい順に並べます。"
        "不満を書いた推奨者は、黙って離れる前の人かもしれません。",
        ("種類", "点数:integer", "意見:quote", "ずれ（標準偏差）:decimal", "回答"),
    ),
    "alerts": Layout(
        "お知らせのもとになった声",
        "件数や否定の割合は、直近の週の平均から標準偏差の2倍を超え、偶然では起こりにくいときだけ知らせます。",
        ("種類", "テーマ・語句", "n:integer", "ふだんの週なら:decimal", "最初の日", "もとの回答"),
    ),
    "segments": Layout(
        "区分ごとの違い",
        "それぞれのNPSと、それ以外の全員のNPSとの差です。",
        ("区分", "値", "n:integer", "NPS:points", "95%区間", "他との差:points", "差の95%区間", "判定", "注意"),
    ),
    "segment_themes": Layout(
        "区分ごとに多く語られるテーマ",
        "他の区分より多いと言えるものだけです。",
        ("区分", "値", "テーマ", "n:integer", "他の何倍:decimal", "95%区間"),
    ),
    "periods": Layout(
        "期間の比較",
        "差を、誰が答えたか（構成）と、どう答えたか（評価）に分けます。",
        ("期間", "n:integer", "NPS:points", "95%区間", "注意"),
    ),
    "changes": Layout(
        "増えたテーマ、減ったテーマ",
        "期間の差が偶然とは言えないものだけです。",
        ("テーマ", "直近 n:integer", "直近:percent", "その前 n:integer", "その前:percent",
         "差（ポイント、95%区間）", "注意"),
    ),
    "trends": Layout(
        "週ごとの推移",
        "集計日までの7日ずつの人数と、前の週から見込まれる幅（±2標準偏差）です。",
        ("テーマ",),
    ),
    "measures": Layout(
        "ほかの指標",
        "NPSの代わりではなく、並べて見るものです。",
        ("指標", "n:integer", "上位の割合:percent", "95%区間", "平均:decimal", "上位とは"),
    ),
    "behaviour": Layout(
        "顧客の行動",
        "顧客表からの値です。売上は顧客表の全員の合計で、標本の誤差はありません。",
        ("指標", "値", "95%区間・割合", "n:integer"),
    ),
    "map": Layout(
        "ロイヤルティの地図（心理×行動）",
        "点数のある顧客を、直近の点数と購入で四つに分けます。",
        ("顧客", "n:integer", "割合:percent", "95%区間", "売上:money", "売上の割合:percent", "多く語るテーマ", "注意"),
    ),
    "captive": Layout(
        "好きではないが買い続けている顧客の声",
        "競合が現れると離れやすい人たちです。",
        ("テーマ", "n:integer", "否定的:integer", "その人たちの売上:money"),
    ),
}
