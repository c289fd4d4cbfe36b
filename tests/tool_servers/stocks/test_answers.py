"""What a client in Python gets from the stock service."""

from pathlib import Path

import pytest
from stocks.v1 import stocks_pb2, stocks_pb2_grpc

from tests.tool_servers.stocks.process import NOW, Stub, running


@pytest.mark.parametrize("query", ["茅台", "贵州茅台", "Kweichow Moutai", "600519", "600519.SS", "600519.SH"])
async def test_a_quote_without_a_date_is_that_of_the_latest_trading_day(stub: Stub, query: str) -> None:
    quote = await stub.GetQuote(stocks_pb2.GetQuoteRequest(query=query))

    assert (quote.stock.ticker, quote.stock.chinese_name, quote.stock.currency) == (
        "600519.SS",
        "贵州茅台",
        "CNY",
    )
    assert quote.day.date == "2026-11-20"
    assert quote.day.low <= quote.day.close <= quote.day.high
    assert quote.change == pytest.approx(quote.day.close - quote.previous_close, abs=0.001)
    assert quote.change_percent == pytest.approx(quote.change / quote.previous_close * 100, abs=0.01)
    assert quote.simulated
    assert quote.note.startswith("2026-11-21 (Saturday) is without trading")


async def test_a_history_agrees_with_the_quotes_of_its_days(stub: Stub) -> None:
    request = stocks_pb2.GetHistoryRequest(query="腾讯", start_date="2026-03-01", end_date="2026-03-06")
    history = await stub.GetHistory(request)

    assert [day.date for day in history.days] == [f"2026-03-0{day}" for day in range(2, 7)]
    assert history.simulated
    for day in history.days:
        quote = await stub.GetQuote(stocks_pb2.GetQuoteRequest(query="0700.HK", date=day.date))
        assert quote.day == day


@pytest.mark.parametrize("days", [1, 250])
async def test_as_few_and_as_many_days_as_the_rules_allow(stub: Stub, days: int) -> None:
    history = await stub.GetHistory(stocks_pb2.GetHistoryRequest(query="AAPL", days=days))

    assert len(history.days) == days
    assert history.days[-1].date == "2026-11-20"


async def test_every_run_gives_the_same_answers(stub: Stub) -> None:
    request = stocks_pb2.GetHistoryRequest(query="Apple", days=5)
    here = await stub.GetHistory(request)

    async with running("--now", NOW) as (_, channel):
        there = await stocks_pb2_grpc.StockServiceStub(channel).GetHistory(request)

    assert here == there


async def test_a_folder_of_csv_files_takes_the_place_of_generated_prices(tmp_path: Path) -> None:
    header = "Date,Open,High,Low,Close,Adj Close,Volume\n"
    (tmp_path / "AAPL.csv").write_text(
        header + "2026-11-19,10,12,9,11,11,5000000000\n2026-11-20,11,11.5,10.25,10.5,10.5,0\n"
    )
    (tmp_path / "ACME.csv").write_text(header + "2026-11-20,1,1,1,1,1,1\n")
    (tmp_path / "companies.csv").write_text("ticker,names,chinese,currency\nACME,Acme|Acme Anvils,铁砧,GBP\n")

    async with running("--now", NOW, "--data", str(tmp_path)) as (_, channel):
        stub = stocks_pb2_grpc.StockServiceStub(channel)
        apple = await stub.GetHistory(stocks_pb2.GetHistoryRequest(query="苹果"))
        acme = await stub.GetQuote(stocks_pb2.GetQuoteRequest(query="铁砧"))

    assert [(day.close, day.volume) for day in apple.days] == [(11, 5_000_000_000), (10.5, 0)]
    assert (apple.simulated, apple.source, apple.stock.currency) == (False, "the file AAPL.csv", "USD")
    assert (acme.stock.ticker, acme.stock.name, acme.stock.currency) == ("ACME", "Acme", "GBP")
    assert not acme.HasField("previous_close")
