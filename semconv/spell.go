package semconv

import "github.com/pidometer/pidometer/internal/text"

// Spell returns raw kernel bytes as they are exported: valid UTF-8, in which each
// byte that is none stands as its escape, 0xFF as the four characters \xff, and a
// backslash that the text itself has before xHH is doubled.
func Spell(raw string) string { return text.Escape([]byte(raw)) }

// Raw returns the bytes that [Spell] was given.
func Raw(spelled string) string { return string(text.Unescape(spelled)) }
