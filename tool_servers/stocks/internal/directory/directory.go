package directory

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Directory finds stocks by anything that people call them.
type Directory struct {
	stocks   []*Stock
	byTicker map[string]*Stock
	byName   map[string][]*Stock
	// known are the spellings of each stock that a slip is looked for in.
	known [][][]rune
}

// New makes a directory. A name that several stocks have stands for the first of them.
func New(stocks []*Stock) *Directory {
	d := &Directory{stocks: stocks, byTicker: map[string]*Stock{}, byName: map[string][]*Stock{}}
	for _, stock := range stocks {
		d.byTicker[key(stock.Ticker)] = stock
	}
	for _, stock := range stocks {
		for _, alias := range aliases(stock) {
			if _, taken := d.byTicker[alias]; !taken {
				d.byTicker[alias] = stock
			}
		}
		for _, name := range names(stock) {
			if !slices.Contains(d.byName[name], stock) {
				d.byName[name] = append(d.byName[name], stock)
			}
		}
		d.known = append(d.known, spellings(stock))
	}
	return d
}

// Find returns the stock that a ticker or a name stands for, and the other listings of a company that was asked for
// by its name; nil where there is none.
func (d *Directory) Find(query string) (*Stock, []*Stock) {
	for wanted := key(query); wanted != ""; {
		if stock, found := d.byTicker[wanted]; found {
			return stock, nil
		}
		if found := d.byName[wanted]; len(found) > 0 {
			return found[0], found[1:]
		}
		shorter := withoutTail(wanted)
		if shorter == wanted {
			break
		}
		wanted = shorter
	}
	return nil, nil
}

// Nearest returns the stocks whose tickers or names look most like a query, the likeliest first.
func (d *Directory) Nearest(query string, count int) []*Stock {
	type candidate struct {
		stock *Stock
		score float64
	}
	wanted := []rune(key(query))
	var candidates []candidate
	for at, stock := range d.stocks {
		best := 0.0
		for _, known := range d.known[at] {
			best = max(best, similarity(wanted, known))
		}
		if best >= threshold(wanted) {
			candidates = append(candidates, candidate{stock, best})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(b.score, a.score) })
	nearest := make([]*Stock, 0, count)
	for _, each := range candidates[:min(count, len(candidates))] {
		nearest = append(nearest, each.stock)
	}
	return nearest
}

// key is what is compared: letters and digits, without case, accents or anything between them.
func key(name string) string {
	return strings.Map(func(char rune) rune {
		if unicode.IsLetter(char) || unicode.IsDigit(char) {
			return unicode.ToLower(char)
		}
		return -1
	}, norm.NFKD.String(name))
}

func names(stock *Stock) []string {
	keys := []string{key(stock.Label())}
	for _, name := range slices.Concat(stock.Names, stock.Chinese) {
		keys = append(keys, key(name))
	}
	return keys
}

func spellings(stock *Stock) [][]rune {
	var runes [][]rune
	for _, spelling := range append(names(stock), key(stock.Ticker), key(base(stock.Ticker))) {
		runes = append(runes, []rune(spelling))
	}
	return runes
}

// aliases are other ways to write a ticker: 600519, 600519.SH, SH600519, 700.HK, NASDAQ:AAPL.
func aliases(stock *Stock) []string {
	bases := []string{key(base(stock.Ticker))}
	if slices.Contains(stock.Exchange.codes, "HK") {
		// Hong Kong's are written with four digits, with five, and without leading zeros.
		bases = append(bases, strings.TrimLeft(bases[0], "0"), "0"+bases[0])
	}
	keys := slices.Clone(bases)
	for _, base := range bases {
		for _, code := range stock.Exchange.codes {
			keys = append(keys, base+key(code), key(code)+base)
		}
	}
	return keys
}

func base(ticker string) string {
	before, _, _ := strings.Cut(ticker, ".")
	return before
}

// What people write behind a name, and means nothing. 昨天 (yesterday) and 港股 (in Hong Kong) do mean something.
var tails = []string{
	"incorporated", "inc", "corporation", "corp", "company", "co", "limited", "ltd", "plc", "group", "holdings", "holding",
	"stock", "stocks", "share", "shares", "price", "quote",
	"最近", "今天", "今日",
	"股份有限公司", "有限公司", "公司", "股份", "集团", "集團", "控股", "股票", "股价", "股價", "的",
}

func withoutTail(name string) string {
	for _, tail := range tails {
		if shorter, found := strings.CutSuffix(name, tail); found {
			return shorter
		}
	}
	return name
}
