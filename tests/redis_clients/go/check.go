package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// checks is how many checks have passed.
var checks int

func fail(format string, words ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", words...)
	os.Exit(1)
}

// check ends the program unless two values are equal.
func check(what string, got, wanted any) {
	if !reflect.DeepEqual(got, wanted) {
		fail("%s: got %.300q, wanted %.300q", what, fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", wanted))
	}
	checks++
}

// checkError ends the program unless an error has a text in it.
func checkError(what string, err error, part string) {
	if err == nil || !strings.Contains(err.Error(), part) {
		fail("%s: got the error %v, wanted %q", what, err, part)
	}
	checks++
}

// of is what a request was answered; an error ends the program.
func of[T any](request interface{ Result() (T, error) }) T {
	value, err := request.Result()
	if err != nil {
		fail("%v: %v", request, err)
	}
	return value
}

// isNil says whether a request was answered that there is nothing.
func isNil[T any](request interface{ Result() (T, error) }) bool {
	_, err := request.Result()
	return errors.Is(err, redis.Nil)
}

// list is several values as one, to compare them at once.
func list(values ...any) []any { return values }

// until polls until something holds, for 10 seconds at most.
func until(what string, holds func() bool) {
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			fail("%s: not within 10 s", what)
		}
	}
	checks++
}
