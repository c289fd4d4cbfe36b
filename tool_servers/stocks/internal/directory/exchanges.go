package directory

import "time"

// Exchange is a place where stocks are traded.
type Exchange struct {
	// Name is the one to show, e.g. "Shanghai Stock Exchange".
	Name string
	// Currency is what its prices are in, by ISO 4217.
	Currency string
	// Decimals is how many of them its prices have.
	Decimals int
	zone     *time.Location
	// closes is how long after midnight the session ends.
	closes time.Duration
	// codes are what people write before or behind a ticker to name the exchange.
	codes []string
}

var exchanges = map[string]Exchange{
	"SSE":    exchange("Shanghai Stock Exchange", "CNY", 2, "Asia/Shanghai", "15:00", "SS", "SH", "SSE"),
	"SZSE":   exchange("Shenzhen Stock Exchange", "CNY", 2, "Asia/Shanghai", "15:00", "SZ", "SZSE"),
	"HKEX":   exchange("Hong Kong Stock Exchange", "HKD", 2, "Asia/Hong_Kong", "16:00", "HK", "HKEX", "HKG"),
	"NYSE":   exchange("New York Stock Exchange", "USD", 2, "America/New_York", "16:00", "NYSE", "US"),
	"NASDAQ": exchange("NASDAQ", "USD", 2, "America/New_York", "16:00", "NASDAQ", "US"),
	"TSE":    exchange("Tokyo Stock Exchange", "JPY", 0, "Asia/Tokyo", "15:30", "T", "TYO", "TSE", "JP"),
	"KRX":    exchange("Korea Exchange", "KRW", 0, "Asia/Seoul", "15:30", "KS", "KRX"),
	"TWSE":   exchange("Taiwan Stock Exchange", "TWD", 1, "Asia/Taipei", "13:30", "TW", "TWSE", "TPE"),
	"EPA":    exchange("Euronext Paris", "EUR", 2, "Europe/Paris", "17:30", "PA", "EPA"),
	"AMS":    exchange("Euronext Amsterdam", "EUR", 2, "Europe/Amsterdam", "17:30", "AS", "AMS"),
	"XETRA":  exchange("Xetra, Frankfurt", "EUR", 2, "Europe/Berlin", "17:30", "DE", "ETR", "XETRA"),
}

func exchange(name, currency string, decimals int, zone, closes string, codes ...string) Exchange {
	location, err := time.LoadLocation(zone)
	if err != nil {
		panic(err) // main embeds the time zones, so this is a typing error above
	}
	end, err := time.Parse("15:04", closes)
	if err != nil {
		panic(err)
	}
	return Exchange{
		Name: name, Currency: currency, Decimals: decimals, zone: location, codes: codes,
		closes: time.Duration(end.Hour())*time.Hour + time.Duration(end.Minute())*time.Minute,
	}
}

// Today is the date at the exchange, as midnight UTC.
func (e Exchange) Today(now time.Time) time.Time {
	year, month, day := now.In(e.location()).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// LastSession is the last day whose trading has ended. Weekends are known, public holidays are not.
func (e Exchange) LastSession(now time.Time) time.Time {
	day := e.Today(now)
	local := now.In(e.location())
	end := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, e.location()).Add(e.closes)
	if local.Before(end) {
		day = day.AddDate(0, 0, -1)
	}
	for Weekend(day) {
		day = day.AddDate(0, 0, -1)
	}
	return day
}

// Weekend tells whether a day is a Saturday or a Sunday.
func Weekend(day time.Time) bool {
	return day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
}

func (e Exchange) location() *time.Location {
	if e.zone == nil {
		return time.UTC
	}
	return e.zone
}
