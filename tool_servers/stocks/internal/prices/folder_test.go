package prices

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const header = "date,open,high,low,close,volume\n"

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	path := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestAFolderIsRead(t *testing.T) {
	path := folder(t, map[string]string{
		// Newest first, with a byte-order mark, in another order and with one more column: as vendors write them.
		"aapl.csv":      "\ufeffDate,Close,Adj Close,Open,High,Low,Volume\n2026-03-03,12,11.9,11,13,10,500\n2026-03-02,11,10.9,10,12,9.5,400\n",
		"ACME.csv":      header + "2026-03-02,1,1,1,1,0\n",
		"OWN.L.csv":     header + "2026-03-02,1,1,1,1,0\n",
		"companies.csv": "ticker,names,chinese,exchange,currency\nOWN.L,Own plc|Own,自己,London Stock Exchange,GBP\nNONE,None,,,\n",
		"notes.txt":     "not a series",
	})

	source, stocks, err := ReadFolder(path)

	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, stock := range stocks {
		labels = append(labels, stock.Label()+" "+stock.Exchange.Name+" "+stock.Exchange.Currency)
	}
	want := "OWN.L (Own plc, 自己) London Stock Exchange GBP; AAPL (Apple, 苹果) NASDAQ USD; ACME  "
	if got := strings.Join(labels, "; "); got != want {
		t.Errorf("the stocks are %q, want %q", got, want)
	}
	series := source.Of(stocks[1])
	if series.Simulated || series.Source != "the file aapl.csv" {
		t.Errorf("the source is %+v", series)
	}
	second := Day{Date: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), Open: 11, High: 13, Low: 10, Close: 12, Volume: 500}
	if len(series.Days) != 2 || series.Days[1] != second {
		t.Errorf("the days are %+v", series.Days)
	}
}

func TestABadFileIsAnErrorWithFileAndLine(t *testing.T) {
	good := header + "2026-03-02,1,2,1,2,10\n"
	for _, test := range []struct{ name, file, text, want string }{
		{"empty", "A.csv", "", "A.csv:1: it is empty"},
		{"no days", "A.csv", header, "A.csv:2: there is no day"},
		{"no column", "A.csv", "date,open,high,low,close\n", `A.csv:1: there is no column "volume"`},
		{"short row", "A.csv", good + "2026-03-03,1\n", "A.csv:3: wrong number of fields"},
		{"quotes", "A.csv", good + "2026-03-03,\"1,2,1,2,10\n", "A.csv:3: extraneous or missing"},
		{"date", "A.csv", good + "03/03/2026,1,2,1,2,10\n", `A.csv:3: date: "03/03/2026" is no day`},
		{"no such day", "A.csv", good + "2026-02-30,1,2,1,2,10\n", `A.csv:3: date: "2026-02-30" is no day`},
		{"twice", "A.csv", good + "2026-03-02,1,2,1,2,10\n", "A.csv:3: 2026-03-02 is also the day of line 2"},
		{"word", "A.csv", good + "2026-03-03,null,2,1,2,10\n", `A.csv:3: open: "null" is no positive number`},
		{"zero", "A.csv", good + "2026-03-03,1,2,1,0,10\n", `A.csv:3: close: "0" is no positive number`},
		{"infinite", "A.csv", good + "2026-03-03,1,Inf,1,2,10\n", `A.csv:3: high: "Inf" is no positive number`},
		{"not a number", "A.csv", good + "2026-03-03,1,NaN,1,2,10\n", `A.csv:3: high: "NaN" is no positive number`},
		{"high", "A.csv", good + "2026-03-03,3,2,1,2,10\n", "A.csv:3: low 1 and high 2 must hold open 3"},
		{"low", "A.csv", good + "2026-03-03,1,2,1.5,2,10\n", "A.csv:3: low 1.5 and high 2 must hold"},
		{"volume", "A.csv", good + "2026-03-03,1,2,1,2,-1\n", `A.csv:3: volume: "-1" is no whole number`},
		{"fraction", "A.csv", good + "2026-03-03,1,2,1,2,1.5\n", `A.csv:3: volume: "1.5" is no whole number`},
		{"name", "no ticker.csv", good, "no ticker.csv: its name is no ticker"},
		{"two names", "companies.csv", "ticker,names\nA,One\na,Two\n", `companies.csv:3: "A" is also the ticker of line 2`},
		{"names", "companies.csv", "ticker\n", `companies.csv:1: there is no column "names"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := folder(t, map[string]string{"OK.csv": good, test.file: test.text})

			_, _, err := ReadFolder(path)

			want := filepath.Join(path, test.want)
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("the error is %v, want %s…", err, want)
			}
		})
	}
}

func TestAFolderHasBounds(t *testing.T) {
	rows := strings.Builder{}
	for i := range maxRows + 1 {
		rows.WriteString(day("1900-01-01").AddDate(0, 0, i).Format(time.DateOnly) + ",1,1,1,1,1\n")
	}
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"no file":   {map[string]string{"A.txt": ""}, "there is no CSV file"},
		"one twice": {map[string]string{"A.csv": header + "2026-03-02,1,1,1,1,1\n", "a.csv": header + "2026-03-02,1,1,1,1,1\n"}, "there is another file for A"},
		"too long":  {map[string]string{"A.csv": header + rows.String()}, "A.csv:30002: more than 30000 days"},
		"too large": {map[string]string{"A.csv": strings.Repeat(" ", maxFileBytes+1)}, "A.csv: larger than 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := ReadFolder(folder(t, test.files))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want …%s…", err, test.want)
			}
		})
	}
	if _, _, err := ReadFolder(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "give a folder") {
		t.Errorf("the error is %v", err)
	}
}

func TestWhatIsNoFileIsNotRead(t *testing.T) {
	for _, name := range []string{"A.csv", namesFile} {
		// One that never ends: without the check the test would not either.
		path := folder(t, map[string]string{"OK.csv": header + "2026-03-02,1,1,1,1,1\n"})
		if err := os.Symlink("/dev/zero", filepath.Join(path, name)); err != nil {
			t.Fatal(err)
		}
		_, _, err := ReadFolder(path)
		if want := filepath.Join(path, name) + ": it is no file"; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("the error is %v, want %s…", err, want)
		}
	}
}
