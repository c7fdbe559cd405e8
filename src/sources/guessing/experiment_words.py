"""Words that name the columns of experiments, in six languages, written as `vocabulary.tokens` gives them."""

import re

from .vocabulary import tokens

WORDS = {
    "assigned": "arm treatment treated treat variant variation experiment abtest assignment condition uplift "
    "testgruppe versuchsgruppe behandlung traitement tratamiento tratamento "
    "实验 實驗 处理 處理 干预 分组 分組 组别 組別",
    "group": "group grp test segment cell cohort bucket campaign offer gruppe zelle aktion groupe grupo 组 組",
    "untreated": "control holdout heldout kontrolle kontrollgruppe temoin 对照 對照",
    "before": "pre before prior history historical hist past previous last baseline recency tenure frequency vorher "
    "vor bisher bisherig historie vorperiode zuvor avant precedent anterior antes previo "
    "前 之前 历史 歷史 此前 过去 過去",
    "after": "post after response responded outcome conversion converted redeemed redemption result nachher nach "
    "danach reaktion konversion eingeloest reponse apres despues respuesta depois resposta "
    "后 後 之后 之後 转化 轉化 响应 響應",
    "bought": "visit visited visits click clicked clicks open opened purchase purchased bought buy order orders "
    "exposure exposed besuch gekauft kauf bestellung visite achat visita compra "
    "访问 訪問 购买 購買 点击 點擊 打开 下单",
    "money": "spend spent sales revenue amount amt value turnover gmv profit umsatz betrag ausgaben erloes ventas "
    "importe depense montant receita gasto vendas valor 消费 消費 销售额 銷售額 金额 金額 收入 花费",
}
"""What a word says of its column: what was decided by chance, what was before it, and what came after."""

_KNOWN = {concept: frozenset(words.split()) for concept, words in WORDS.items()}
_LONG = 5
"""Letters from which on a word is recognised inside of another."""

UNTREATED = (
    r"(?:un|not |non-?)treated|.*\bcontrol\b.*|kontroll(?:e|gruppe)|.*hold[- ]?out.*|held[- ]out|placebo|baseline|"
    r"(?:no|without|kein[e]?|ohne|sans|sin|sem) .+|t[ée]moin|contr[ôo]le|.*(?:对照|對照|控制|空白)组?.*"
)
"""What a value looks like that can only mean a customer who was given nothing."""
NOTHING = ("none", "0", "false", "no", "n", "nein", "non", "否", "无", "keine")
"""Values that mean nothing was given, where the column says so."""


def said_of(name: str) -> frozenset[str]:
    """What a column's name says, see `WORDS`.

    Examples
    --------
    >>> sorted(said_of("post_spend")), sorted(said_of("Umsatz vorher")), sorted(said_of("活动前消费"))
    (['after', 'money'], ['before', 'money'], ['before', 'money'])
    """
    return frozenset(concept for concept, words in _KNOWN.items() if any(_holds(part, words) for part in tokens(name)))


def _holds(token: str, words: frozenset[str]) -> bool:
    if token in words:
        return True
    return any(word in token for word in words if len(word) >= _LONG or "\u3400" <= word[0] <= "\u9fff")


def is_untreated(value: str) -> bool:
    """Whether a value can only mean a customer who was given nothing.

    Examples
    --------
    >>> is_untreated("No E-Mail"), is_untreated("Control"), is_untreated("0"), is_untreated("Mens E-Mail")
    (True, True, False, False)
    """
    return re.fullmatch(UNTREATED, value.strip().casefold()) is not None
