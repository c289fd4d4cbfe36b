"""Conversation 2: a price without a date; and a wrong ticker, which the model mends by itself."""

import re

from tests.conversations import page
from tests.conversations.script import Turn, call, says, turn
from tests.conversations.talk import Talk
from tests.models.scripted_server import Answer

QUOTE = "stocks.v1.StockService.GetQuote"
SATURDAY = "2026-11-21T12:00:00Z"


async def test_without_a_date_the_price_is_that_of_the_latest_trading_day(conversation: Talk) -> None:
    stocks = await conversation.start("stocks", "--now", SATURDAY)
    conversation.model.script += [call("call_1", QUOTE, query="茅台"), turn(tell)]

    shown = await conversation.chat("茅台今天的股价")

    assert '→ stocks_v1_StockService_GetQuote {"query": "茅台"}\n' in shown
    assert re.search(r"贵州茅台（600519\.SS） 2026-11-20 收盘 \d+\.\d\d CNY", shown)
    await stocks.stop()
    assert stocks.received("GetQuote") == 1
    page.assert_shows("2. The price of a stock", conversation.transcript)


async def test_a_wrong_ticker_is_mended_by_what_the_error_says(conversation: Talk) -> None:
    stocks = await conversation.start("stocks", "--now", SATURDAY)
    conversation.model.script += [call("call_1", QUOTE, query="600591.SS"), turn(mend), turn(tell)]

    shown = await conversation.chat("600591.SS 今天收盘多少？")

    assert "✗ stocks_v1_StockService_GetQuote " in shown
    assert "贵州茅台（600519.SS） 2026-11-20 收盘 " in shown
    await stocks.stop()
    assert (stocks.received("GetQuote", "INVALID_ARGUMENT"), stocks.received("GetQuote")) == (1, 1)
    page.assert_shows("A wrong ticker", conversation.transcript)


def mend(seen: Turn) -> Answer:
    """Takes the first ticker that the error names beside the wrong one."""
    error = seen.content("call_1")
    near = [found for found in re.findall(r"\d{6}\.S[SZ]", error) if found != "600591.SS"]
    return call("call_2", QUOTE, query=near[0])


def tell(seen: Turn) -> Answer:
    quote = seen.last()
    assert quote["simulated"] is True
    stock, day = quote["stock"], quote["day"]
    name = f"{stock['chinese_name']}（{stock['ticker']}）"
    price = f"{day['close']:.2f} {stock['currency']}"
    return says(f"{name} {day['date']} 收盘 {price}（模拟数据，不是真实行情）。")
