package table

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// prefix is text behind a prefix, or nothing where nothing is known.
func prefix(before, text string, known bool) string {
	if !known {
		return ""
	}
	return before + text
}

func count(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }

func decimal(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }

func percent(v float64) string { return decimal(v*100, 1) + " %" }

// Bytes writes a size in three digits and a binary unit.
func Bytes(v float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	i := 0
	for v >= 1023.5 && i < len(units)-1 {
		v /= 1024
		i++
	}
	switch {
	case i == 0 || v >= 99.95:
		return decimal(v, 0) + " " + units[i]
	case v >= 9.995:
		return decimal(v, 1) + " " + units[i]
	}
	return decimal(v, 2) + " " + units[i]
}

// duration writes a time as days, hours and minutes, or as minutes and seconds.
func duration(seconds float64) string {
	s := int64(seconds)
	switch {
	case s >= 2*24*3600:
		return fmt.Sprintf("%d days, %d:%02d", s/86400, s/3600%24, s/60%60)
	case s >= 3600:
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// clockTime writes a time as hours, minutes and seconds, however many hours.
func clockTime(seconds float64) string {
	s := int64(seconds)
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// Hours writes CPU time: all hours, minutes, seconds and hundredths.
func Hours(seconds float64) string {
	hundredths := int64(seconds*100 + 0.5)
	s := hundredths / 100
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d.%02d", s/3600, s/60%60, s%60, hundredths%100)
	}
	return fmt.Sprintf("%d:%02d.%02d", s/60, s%60, hundredths%100)
}

// Printable keeps a hostile name from steering the terminal or breaking the
// table: what is no graphic character is shown as its escape.
func Printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsGraphic(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
