// Command oneoff runs one command; its usage is the text below.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"blinkstore.example/blink"
)

const usage = `oneoff SET KEY VALUE     store a value
oneoff SET KEY < FILE    store what is read from standard input
oneoff GET KEY           print a value and a line feed
oneoff DELETE KEY        remove a key
oneoff USAGE             print how many bytes the store holds

Exit status: 0 success, 1 not found or the store failed, 2 invalid arguments.`

// run returns what the command prints.
func run(store *blink.Store, verb string, args []string) (string, error) {
	switch fmt.Sprintf("%s %d", strings.ToUpper(verb), len(args)) {
	case "SET 1":
		value, err := io.ReadAll(os.Stdin)
		if err != nil {
			return "", err
		}
		return "OK", store.Put(args[0], value)
	case "SET 2":
		return "OK", store.Put(args[0], []byte(args[1]))
	case "GET 1":
		value, err := store.Get(args[0])
		return string(value), err
	case "DELETE 1":
		return "OK", store.Delete(args[0])
	case "USAGE 0":
		reply, err := store.Ask("USAGE")
		if err == nil && strings.HasPrefix(reply, "ERROR ") {
			err = errors.New(reply)
		}
		return reply, err
	}
	return "", fmt.Errorf("%w: no such command\n\n%s", blink.ErrUsage, usage)
}

func main() {
	args := append(os.Args[1:], "")
	store := blink.New(blink.AddressFromEnvironment())
	defer store.Close()
	answer, err := run(store, args[0], args[1:max(1, len(args)-1)])
	if err == nil {
		fmt.Println(answer)
		return
	}
	fmt.Fprintln(os.Stderr, err)
	if errors.Is(err, blink.ErrUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}
