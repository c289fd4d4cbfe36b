package directory

import (
	"fmt"
	"strings"
	"testing"
)

func embedded(t *testing.T) *Directory {
	t.Helper()
	stocks, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return New(stocks)
}

func TestFindKnowsWhatPeopleCallAStock(t *testing.T) {
	d := embedded(t)
	for ticker, queries := range map[string][]string{
		"600519.SS": {"600519.SS", "600519", "600519.SH", "sh600519", "SSE:600519", "茅台", "贵州茅台", "Kweichow Moutai", " moutai ", "茅台股票", "贵州茅台的股价", "600519.SS (Kweichow Moutai, 贵州茅台)"},
		"0700.HK":   {"0700.HK", "700", "00700", "00700.HK", "HK.00700", "腾讯控股", "騰訊", "Tencent Holdings Ltd."},
		"AAPL":      {"aapl", "$AAPL", "NASDAQ:AAPL", "AAPL US", "Apple Inc.", "Apple stock", "苹果"},
		"BRK-B":     {"BRK.B", "brk b", "Berkshire"},
		"COST":      {"Costco"},
		"OR.PA":     {"L'Oreal", "L’Oréal", "欧莱雅"},
		"MC.PA":     {"Moet Hennessy Louis Vuitton", "ＬＶＭＨ"},
		"V":         {"V", "Visa"},
		"2330.TW":   {"TSMC", "台積電"},
		"TSM":       {"TSM"},
	} {
		for _, query := range queries {
			stock, _ := d.Find(query)
			if stock == nil || stock.Ticker != ticker {
				t.Errorf("Find(%q) = %v, want %s", query, stock, ticker)
			}
		}
	}
}

func TestFindDoesNotGuess(t *testing.T) {
	d := embedded(t)
	for _, query := range []string{"", " ", "!?", "公司", "Inc.", "600518", "Kweichow", "Appl", "stock price", "茅台昨天", "比亚迪港股"} {
		if stock, _ := d.Find(query); stock != nil {
			t.Errorf("Find(%q) = %s, want none", query, stock.Ticker)
		}
	}
}

func TestANameTellsTheOtherListingsAndATickerDoesNot(t *testing.T) {
	d := embedded(t)
	_, others := d.Find("阿里巴巴")
	if len(others) != 1 || others[0].Ticker != "BABA" {
		t.Errorf("the others are %v, want BABA", others)
	}
	if _, others := d.Find("9988.HK"); len(others) != 0 {
		t.Errorf("the others are %v, want none", others)
	}
}

func TestNearest(t *testing.T) {
	d := embedded(t)
	for query, want := range map[string]string{
		"Kweichow Motai": "600519.SS", "600518": "600519.SS", "600591": "600519.SS", "APPL": "AAPL", "Microsft": "MSFT",
		"宁德时带": "300750.SZ", "贵州": "600519.SS", "Contemporary": "300750.SZ", "AMZM": "AMZN", "VNDA": "NVDA", "mao台": "600519.SS", "比亚迪港股": "002594.SZ",
	} {
		nearest := d.Nearest(query, 3)
		if len(nearest) == 0 || len(nearest) > 3 || nearest[0].Ticker != want {
			t.Errorf("Nearest(%q) = %v, want %s first", query, labels(nearest), want)
		}
	}
	for _, query := range []string{"", "?", "qqqqqqqqqq", "龘"} {
		if nearest := d.Nearest(query, 3); len(nearest) != 0 {
			t.Errorf("Nearest(%q) = %v, want none", query, labels(nearest))
		}
	}
}

func labels(stocks []*Stock) []string {
	var words []string
	for _, stock := range stocks {
		words = append(words, stock.Label())
	}
	return words
}

func TestTheTableIsWhole(t *testing.T) {
	d := embedded(t)
	if len(d.stocks) < 40 {
		t.Errorf("%d stocks, want 40 at least", len(d.stocks))
	}
	seen, used := map[string]bool{}, map[string]bool{}
	for _, stock := range d.stocks {
		if seen[stock.Ticker] {
			t.Errorf("%s is there twice", stock.Ticker)
		}
		seen[stock.Ticker], used[stock.Exchange.Name] = true, true
		if stock.Price == 0 || stock.Volume == 0 || len(stock.Chinese) == 0 || stock.Exchange.Currency == "" {
			t.Errorf("%s lacks a price, a volume, a Chinese name or a known exchange", stock.Ticker)
		}
		if found, _ := d.Find(stock.Ticker); found != stock {
			t.Errorf("Find(%q) = %v", stock.Ticker, found)
		}
		for _, name := range append(stock.Names, stock.Chinese...) {
			found, others := d.Find(name)
			all := fmt.Sprint(labels(append([]*Stock{found}, others...)))
			if found.Ticker != strings.ToUpper(name) && !strings.Contains(all, stock.Ticker) {
				t.Errorf("Find(%q) = %v, without %s", name, all, stock.Ticker)
			}
		}
	}
	if len(used) != len(exchanges) {
		t.Errorf("%d exchanges are used, of %d", len(used), len(exchanges))
	}
}

func TestReadNamesTheLineThatIsWrong(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", "names.csv:1: it is empty; write a first line"},
		{"no ticker", "names\nApple\n", `names.csv:1: there is no column "ticker"`},
		{"no names", "ticker\nAAPL\n", `names.csv:1: there is no column "names"`},
		{"short row", "ticker,names\nAAPL\n", "names.csv:2: wrong number of fields"},
		{"no name", "ticker,names\nAAPL,Apple\nMSFT,\n", "names.csv:3: the ticker or the name is empty"},
		{"price", "ticker,names,price\nAAPL,Apple,NaN\n", `names.csv:2: price: "NaN" is no positive number`},
		{"volume", "ticker,names,volume\nAAPL,Apple,-1\n", `names.csv:2: volume: "-1" is no positive number`},
		{"listed", "ticker,names,listed\nAAPL,Apple,1980\n", `names.csv:2: listed: "1980" is no day`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(test.text), "names.csv")
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("the error is %v, want %s…", err, test.want)
			}
		})
	}
}
