// Command client is an interactive client: client [HOST [PORT]]
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"blinkstore.example/blink"
)

// shown is text for a terminal: what is not UTF-8, and control characters, escaped.
func shown(text string) string {
	var out strings.Builder
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		if unicode.IsControl(r) || (r == utf8.RuneError && size == 1) {
			for _, b := range []byte(text[:size]) {
				fmt.Fprintf(&out, `\x%02x`, b)
			}
		} else {
			out.WriteString(text[:size])
		}
		text = text[size:]
	}
	return out.String()
}

func decoded(reply string) string {
	if base, found := strings.CutPrefix(reply, "VALUE "); found {
		if value, err := base64.StdEncoding.DecodeString(base); err == nil {
			return string(value)
		}
	}
	return reply
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	host, port, err := net.SplitHostPort(blink.AddressFromEnvironment())
	if err != nil {
		fail(err)
	}
	if len(os.Args) > 1 {
		host = os.Args[1]
	}
	if len(os.Args) > 2 {
		port = os.Args[2]
	}
	store := blink.New(net.JoinHostPort(host, port))
	defer store.Close()
	if _, err := store.Ask("PING"); err != nil {
		fail(err)
	}
	fmt.Printf("Connected to %s\n", store.Address)
	fmt.Print("Commands: SET <key> <value> | GET <key> | DELETE <key> | USAGE | QUIT\n\n")
	lines := bufio.NewReader(os.Stdin)
	for {
		fmt.Print("> ")
		line, end := lines.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		word := strings.TrimSpace(line)
		if strings.EqualFold(word, "QUIT") {
			return
		}
		if word != "" {
			reply, err := store.Ask(line)
			if err != nil {
				fail(err)
			}
			fmt.Println(shown(decoded(reply)))
		}
		if end != nil {
			fmt.Println()
			return
		}
	}
}
