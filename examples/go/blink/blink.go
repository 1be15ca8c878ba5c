// Package blink is a connection to a Blink Store: one request per line, one reply per line, in
// order. It needs the standard library only. Keys and values that come from outside never become
// commands: a request that holds a line break is refused, and values are sent in base64.
package blink

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

const keyBytesMax = 65535

var (
	// ErrNotFound says that the store has no such key.
	ErrNotFound = errors.New("NOT_FOUND")
	// ErrUsage wraps what must not be sent: an invalid key, or a request with a line break.
	ErrUsage = errors.New("cannot send this")
	// ErrLost wraps an error of the connection; the next request opens a new one.
	ErrLost = errors.New("cannot reach the store")
)

// AddressFromEnvironment is BLINK_STORE=HOST:PORT, else 127.0.0.1:8765.
func AddressFromEnvironment() string {
	if address := os.Getenv("BLINK_STORE"); address != "" {
		return address
	}
	return "127.0.0.1:8765"
}

// CheckKey refuses a key that the store could not take as one key.
func CheckKey(key string) error {
	if len(key) < 1 || len(key) > keyBytesMax {
		return fmt.Errorf("%w: a key must have 1 to %d bytes", ErrUsage, keyBytesMax)
	}
	if strings.ContainsAny(key, " \t\r\n") {
		return fmt.Errorf("%w: the key holds a blank or a line break", ErrUsage)
	}
	return nil
}

// SafeKey makes a key of any bytes: visible ASCII but % stays, every other byte becomes %XX.
func SafeKey(raw string) string {
	var key strings.Builder
	for i := 0; i < len(raw); i++ {
		if c := raw[i]; c > ' ' && c < 0x7f && c != '%' {
			key.WriteByte(c)
		} else {
			fmt.Fprintf(&key, "%%%02X", c)
		}
	}
	return key.String()
}

// Store is one connection, opened by the first request and kept; goroutines may share it.
type Store struct {
	Address string        // HOST:PORT
	Token   string        // sent first, where it is not empty
	Timeout time.Duration // for connecting, and for each request

	mutex   sync.Mutex
	conn    net.Conn
	replies *bufio.Reader
}

// New is a store at an address, with the token of BLINK_TOKEN and a timeout of 5 seconds.
func New(address string) *Store {
	return &Store{Address: address, Token: os.Getenv("BLINK_TOKEN"), Timeout: 5 * time.Second}
}

// Ask sends one request and returns its reply line.
func (s *Store) Ask(line string) (string, error) {
	if strings.ContainsAny(line, "\r\n") {
		return "", fmt.Errorf("%w: a request is one line", ErrUsage)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.conn == nil {
		if err := s.connect(); err != nil {
			return "", err
		}
	}
	return s.exchange(line)
}

// Get returns the value's bytes, or ErrNotFound.
func (s *Store) Get(key string) ([]byte, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	reply, err := s.Ask("GET " + key)
	if err != nil {
		return nil, err
	}
	if reply == "NOT_FOUND" {
		return nil, ErrNotFound
	}
	if value, found := strings.CutPrefix(reply, "VALUE "); found {
		return base64.StdEncoding.DecodeString(value)
	}
	return nil, errors.New(reply)
}

// Put stores any bytes: line breaks, NUL and all.
func (s *Store) Put(key string, value []byte) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	return s.expectOK("PUT " + key + " b64 " + base64.StdEncoding.EncodeToString(value))
}

// Delete removes a key; ErrNotFound if it was not there.
func (s *Store) Delete(key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	return s.expectOK("DELETE " + key)
}

// Close ends the connection.
func (s *Store) Close() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.disconnect()
}

func (s *Store) expectOK(line string) error {
	reply, err := s.Ask(line)
	switch {
	case err != nil:
		return err
	case reply == "OK":
		return nil
	case reply == "NOT_FOUND":
		return ErrNotFound
	}
	return errors.New(reply)
}

func (s *Store) connect() error {
	conn, err := net.DialTimeout("tcp", s.Address, s.Timeout)
	if err != nil {
		return fmt.Errorf("%w at %s: %v", ErrLost, s.Address, err)
	}
	s.conn, s.replies = conn, bufio.NewReader(conn)
	if s.Token == "" {
		return nil
	}
	if err := CheckKey(s.Token); err != nil {
		s.disconnect()
		return errors.New("BLINK_TOKEN holds no usable token")
	}
	reply, err := s.exchange("AUTH " + s.Token)
	if err == nil && reply != "OK" {
		s.disconnect()
		return errors.New(reply)
	}
	return err
}

func (s *Store) exchange(line string) (string, error) {
	s.conn.SetDeadline(time.Now().Add(s.Timeout))
	_, err := s.conn.Write([]byte(line + "\n"))
	var reply string
	if err == nil {
		// A reply is as long as its value: read to its line feed, not to the end of one packet.
		reply, err = s.replies.ReadString('\n')
	}
	if err != nil {
		s.disconnect()
		return "", fmt.Errorf("%w at %s: %v", ErrLost, s.Address, err)
	}
	return strings.TrimSuffix(reply, "\n"), nil
}

func (s *Store) disconnect() {
	if s.conn != nil {
		s.conn.Close()
	}
	s.conn, s.replies = nil, nil
}
