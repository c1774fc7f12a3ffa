// Command crane-registry is go-containerregistry's in-memory registry. Its own commands
// serve it without the referrers API of OCI 1.1, so this is theirs with a flag for that.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "what to listen on")
	referrers := flag.Bool("referrers", true, "whether there is a referrers API")
	flag.Parse()

	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on %v", listener.Addr())
	server := &http.Server{
		Handler:           registry.New(registry.WithReferrersSupport(*referrers)),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Fatal(server.Serve(listener))
}
