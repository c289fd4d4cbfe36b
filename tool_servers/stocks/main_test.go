package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAWrongSettingIsStatus2AndOneLineWithTheCure(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, "A.csv"), []byte("date,open,high,low,close,volume\n2026-03-02,x,1,1,1,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"--adress", "127.0.0.1:0"}, "flag provided but not defined: -adress; see stocks --help"},
		{[]string{"127.0.0.1:0"}, `"127.0.0.1:0" is one argument too many`},
		{[]string{"--address", "nowhere"}, `--address "nowhere" is no HOST:PORT: give one such as 127.0.0.1:50052`},
		{[]string{"--address", ""}, `--address "" is no HOST:PORT`},
		{[]string{"--address", ":0"}, `--address ":0" is no HOST:PORT`},
		{[]string{"--address", "127.0.0.1:99999"}, "give a HOST:PORT of this machine that is free"},
		{[]string{"--address", taken.Addr().String()}, "give a HOST:PORT of this machine that is free"},
		{[]string{"--grace", "-1"}, "--grace -1 is out of range: give seconds from 0 to 3600"},
		{[]string{"--grace", "soon"}, `invalid value "soon" for flag -grace`},
		{[]string{"--delay", "NaN"}, "--delay NaN is out of range"},
		{[]string{"--now", "today"}, `--now "today" is no time: give one as 2026-03-04T12:00:00Z`},
		{[]string{"--now", "2009-12-31T00:00:00Z"}, "is before all prices: give a time after 2010-01-04"},
		{[]string{"--data", filepath.Join(bad, "none")}, "no such file or directory; give a folder of CSV files"},
		{[]string{"--data", bad}, filepath.Join(bad, "A.csv") + `:2: open: "x" is no positive number`},
	} {
		t.Run(strings.Join(test.arguments, " "), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(test.arguments, &stdout, &stderr); status != 2 {
				t.Errorf("the status is %d, want 2", status)
			}
			if text := stderr.String(); !strings.HasPrefix(text, "stocks: ") || !strings.Contains(text, test.want) || strings.Count(text, "\n") != 1 {
				t.Errorf("stderr is %q, want one line with %q", text, test.want)
			}
			if stdout.Len() > 0 {
				t.Errorf("stdout is %q", stdout.String())
			}
		})
	}
}

func TestHelpTellsTheSettings(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run([]string{"--help"}, &stdout, &stderr); status != 0 || stderr.Len() > 0 {
		t.Errorf("status %d, stderr %q", status, stderr.String())
	}
	for _, word := range []string{"--address", "--data", "--grace", "--delay", "--now"} {
		if !strings.Contains(stdout.String(), word) {
			t.Errorf("the help lacks %s", word)
		}
	}
}
