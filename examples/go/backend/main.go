// Command backend is an HTTP backend that keeps its data in a Blink Store.
//
//	GET /KEY     200 with the value, or 404
//	POST /KEY    204; the body is the value, up to 8 MiB
//
// It listens on 127.0.0.1, at PORT (default 8080); the store is BLINK_STORE=HOST:PORT.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"blinkstore.example/blink"
)

const bodyBytesMax = 8 << 20

type backend struct{ store *blink.Store }

func (b backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	segment, _, _ := strings.Cut(strings.TrimLeft(r.URL.EscapedPath(), "/"), "/")
	raw, err := url.PathUnescape(segment)
	if err != nil || raw == "" {
		text(w, http.StatusBadRequest, "Missing key")
		return
	}
	switch key := blink.SafeKey(raw); r.Method {
	case http.MethodGet:
		b.get(w, key)
	case http.MethodPost:
		b.post(w, r, key)
	default:
		text(w, http.StatusMethodNotAllowed, "Method not allowed")
	}
}

func (b backend) get(w http.ResponseWriter, key string) {
	var value []byte
	err := twice(func() (err error) {
		value, err = b.store.Get(key)
		return err
	})
	switch {
	case err == nil:
		text(w, http.StatusOK, string(value))
	case errors.Is(err, blink.ErrNotFound):
		text(w, http.StatusNotFound, "Not found")
	default:
		text(w, http.StatusBadGateway, "Store error")
	}
}

func (b backend) post(w http.ResponseWriter, r *http.Request, key string) {
	if r.ContentLength > bodyBytesMax {
		text(w, http.StatusRequestEntityTooLarge, "Body too large")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	if err != nil {
		text(w, http.StatusBadRequest, "Bad request")
		return
	}
	if err := twice(func() error { return b.store.Put(key, body) }); err != nil {
		text(w, http.StatusBadGateway, "Store error")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// twice calls again if a kept connection is lost; GET and a plain PUT may run twice.
func twice(call func() error) error {
	err := call()
	if errors.Is(err, blink.ErrLost) {
		return call()
	}
	return err
}

func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	store := blink.New(blink.AddressFromEnvironment())
	fmt.Printf("HTTP backend on http://%s -> store %s\n", listener.Addr(), store.Address)
	server := http.Server{Handler: backend{store}, ReadTimeout: 30 * time.Second}
	log.Fatal(server.Serve(listener))
}
