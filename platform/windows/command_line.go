package windows

// decodeCommandLine splits a command line into its arguments, each followed by a NUL
// byte, as CommandLineToArgvW and the C runtime since 2008 do:
//
//	the program ends at the next quote if it begins with one, else at the first blank
//	2n backslashes and a quote are n backslashes, and begin or end a quoted part
//	2n+1 backslashes and a quote are n backslashes and a quote
//	two quotes within a quoted part are one quote
//	other backslashes are themselves
//
// The bytes of UTF-8 beyond ASCII have no meaning here.
func decodeCommandLine(line []byte) []byte {
	arguments := make([]byte, 0, len(line)+1)
	if len(line) == 0 {
		return arguments
	}
	arguments, line = program(arguments, line)
	for {
		for len(line) > 0 && isBlank(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 {
			return arguments
		}
		arguments, line = argument(arguments, line)
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// program takes the first argument, in which backslashes are always themselves.
func program(to, line []byte) (arguments, rest []byte) {
	end := isBlank
	if line[0] == '"' {
		line = line[1:]
		end = func(c byte) bool { return c == '"' }
	}
	i := 0
	for i < len(line) && !end(line[i]) {
		i++
	}
	to = append(append(to, line[:i]...), 0)
	if i < len(line) {
		i++
	}
	return to, line[i:]
}

// argument takes the next argument, which is not empty.
func argument(to, line []byte) (arguments, rest []byte) {
	quoted := false
	for i := 0; i < len(line); {
		slashes := 0
		for i+slashes < len(line) && line[i+slashes] == '\\' {
			slashes++
		}
		i += slashes
		if i == len(line) || line[i] != '"' {
			to = repeat(to, slashes)
			if i == len(line) || !quoted && isBlank(line[i]) {
				return append(to, 0), line[i:]
			}
			to = append(to, line[i])
			i++
			continue
		}
		to = repeat(to, slashes/2)
		i++
		switch {
		case slashes%2 == 1:
			to = append(to, '"')
		case quoted && i < len(line) && line[i] == '"':
			to = append(to, '"')
			i++
		default:
			quoted = !quoted
		}
	}
	return append(to, 0), nil
}

func repeat(to []byte, slashes int) []byte {
	for range slashes {
		to = append(to, '\\')
	}
	return to
}
