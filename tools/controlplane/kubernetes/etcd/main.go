// Command etcd is etcd's own server: its main package is not importable, so this is the same five lines.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
