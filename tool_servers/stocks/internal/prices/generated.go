package prices

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"stocks/internal/directory"
)

// Begin is the first day of generated prices, for stocks that were listed by then.
var Begin = time.Date(2010, time.January, 4, 0, 0, 0, 0, time.UTC)

const (
	daily = 0.016 // how far the logarithm of a price moves in a day (standard deviation)
	pull  = 0.006 // how much of the way back to its level it goes each day: no price runs away in years
	most  = 3.5   // standard deviations that a single draw may reach: mainland exchanges stop at 10 % a day
)

// Generated makes up daily prices: a random walk about the level of each stock, seeded by its ticker. The same day has
// the same prices whenever it is asked for. Every weekday is a trading day; public holidays are not modelled.
type Generated struct {
	// Now tells the time; the series end with the last session that is over by then.
	Now func() time.Time
}

// Of walks from the first day to the last session.
func (g Generated) Of(stock *directory.Stock) Series {
	last := stock.Exchange.LastSession(g.Now())
	first := Begin
	if stock.Listed.After(first) {
		first = stock.Listed
	}
	walk := newWalk(stock)
	var days []Day
	for date := first; !date.After(last); date = date.AddDate(0, 0, 1) {
		if !directory.Weekend(date) {
			days = append(days, walk.next(date))
		}
	}
	return Series{Days: days, Simulated: true, Source: "simulated: a random walk, not prices of any exchange; public holidays are not modelled"}
}

type walk struct {
	stock  *directory.Stock
	random *rand.Rand
	// away is how far the logarithm of the price is from that of the stock's level.
	away float64
	unit float64
}

func newWalk(stock *directory.Stock) *walk {
	hash := fnv.New64a()
	hash.Write([]byte(stock.Ticker))
	return &walk{
		stock:  stock,
		random: rand.New(rand.NewPCG(hash.Sum64(), 1)),
		unit:   math.Pow10(stock.Exchange.Decimals),
	}
}

func (w *walk) next(date time.Time) Day {
	before := w.away
	w.away += w.draw()*daily - pull*w.away
	opening := w.price(before + w.draw()*daily/4)
	closing := w.price(w.away)
	return Day{
		Date: date, Open: opening, Close: closing,
		High:   w.round(max(opening, closing) * (1 + math.Abs(w.draw())*daily/3)),
		Low:    w.round(min(opening, closing) * (1 - math.Abs(w.draw())*daily/3)),
		Volume: int64(w.stock.Volume * math.Exp(w.draw()*0.3)),
	}
}

func (w *walk) draw() float64 {
	return max(-most, min(most, w.random.NormFloat64()))
}

func (w *walk) price(away float64) float64 {
	return w.round(w.stock.Price * math.Exp(away))
}

func (w *walk) round(price float64) float64 {
	return math.Round(price*w.unit) / w.unit
}
