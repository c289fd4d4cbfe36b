// Package service answers stocks.v1.StockService from a directory of stocks and a source of their prices.
//
// It takes for granted that requests keep the rules of their .proto: the server checks them first.
package service

import (
	"context"
	"math"
	"time"

	stocksv1 "stocks/gen/stocks/v1"
	"stocks/internal/directory"
	"stocks/internal/failures"
	"stocks/internal/prices"
)

const (
	// MaxDays is how many trading days one answer may have.
	MaxDays     = 250
	defaultDays = 20
)

// Service implements stocks.v1.StockService.
type Service struct {
	stocksv1.UnimplementedStockServiceServer
	Directory *directory.Directory
	Prices    prices.Source
	Now       func() time.Time
}

// found is a stock of which prices are known, at least of one day.
type found struct {
	*directory.Stock
	prices.Series
	others []*directory.Stock
	// today is the date at the exchange.
	today time.Time
}

// GetQuote tells the prices of one day.
func (s *Service) GetQuote(_ context.Context, request *stocksv1.GetQuoteRequest) (*stocksv1.Quote, error) {
	stock, unknown := s.find(request.GetQuery())
	date, invalid := parse("date", request.Date)
	if violations := append(unknown, invalid...); len(violations) > 0 {
		return nil, failures.InvalidArgument(violations...)
	}
	at, note, err := stock.on(date)
	if err != nil {
		return nil, err
	}
	quote := &stocksv1.Quote{
		Stock:     stock.message(),
		Day:       message(stock.Days[at]),
		Note:      sentences(note, stock.otherListings()),
		Simulated: stock.Simulated,
		Source:    stock.Source,
	}
	if at > 0 {
		before, after := stock.Days[at-1].Close, stock.Days[at].Close
		quote.PreviousClose = &before
		quote.Change = rounded(after-before, 4)
		quote.ChangePercent = rounded((after/before-1)*100, 2)
	}
	return quote, nil
}

// GetHistory lists the prices of a range of days.
func (s *Service) GetHistory(_ context.Context, request *stocksv1.GetHistoryRequest) (*stocksv1.History, error) {
	stock, violations := s.find(request.GetQuery())
	start, invalid := parse("start_date", request.StartDate)
	violations = append(violations, invalid...)
	end, invalid := parse("end_date", request.EndDate)
	violations = append(violations, invalid...)
	if len(violations) > 0 {
		return nil, failures.InvalidArgument(violations...)
	}
	count := defaultDays
	if request.Days != nil {
		count = int(request.GetDays())
	}
	days, note, err := stock.between(start, end, count)
	if err != nil {
		return nil, err
	}
	history := &stocksv1.History{
		Stock:     stock.message(),
		Note:      sentences(note, stock.otherListings()),
		Simulated: stock.Simulated,
		Source:    stock.Source,
	}
	for _, day := range days {
		history.Days = append(history.Days, message(day))
	}
	return history, nil
}

func (s *Service) find(query string) (found, []failures.Violation) {
	stock, others := s.Directory.Find(query)
	if stock == nil {
		return found{}, []failures.Violation{unknownStock(query, s.Directory.Nearest(query, 3))}
	}
	series := s.Prices.Of(stock)
	if len(series.Days) == 0 {
		return found{}, []failures.Violation{noPricesYet(stock)}
	}
	return found{Stock: stock, Series: series, others: others, today: stock.Exchange.Today(s.Now())}, nil
}

// parse reads a date that has the right form; there are some that no calendar has.
func parse(field string, text *string) (*time.Time, []failures.Violation) {
	if text == nil {
		return nil, nil
	}
	date, err := time.Parse(time.DateOnly, *text)
	if err != nil {
		return nil, []failures.Violation{noSuchDay(field, *text)}
	}
	return &date, nil
}

func (f found) message() *stocksv1.Stock {
	stock := &stocksv1.Stock{
		Ticker:   f.Ticker,
		Name:     f.Names[0],
		Exchange: f.Exchange.Name,
		Currency: f.Exchange.Currency,
	}
	if len(f.Chinese) > 0 {
		stock.ChineseName = f.Chinese[0]
	}
	return stock
}

func message(day prices.Day) *stocksv1.DailyPrice {
	return &stocksv1.DailyPrice{
		Date: day.Date.Format(time.DateOnly),
		Open: day.Open, High: day.High, Low: day.Low, Close: day.Close, Volume: day.Volume,
	}
}

// rounded leaves out what only the binary form of a number adds.
func rounded(number float64, decimals int) *float64 {
	unit := math.Pow10(decimals)
	number = math.Round(number*unit) / unit
	return &number
}
