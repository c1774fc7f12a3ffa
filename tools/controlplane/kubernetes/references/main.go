// References prints how the kubelet and containerd read image references.
//
// Each line of standard input is a reference as a JSON string, each line of the answer a
// JSON object: the repository, tag and digest that the kubelet sees, and what containerd
// then is asked for. Where the kubelet refuses, the object has only its error.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/distribution/reference"
	"k8s.io/kubernetes/pkg/util/parsers"
)

type read struct {
	Repository string `json:"repository,omitempty"`
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest,omitempty"`
	Pulled     string `json:"pulled,omitempty"`
	Error      string `json:"error,omitempty"`
}

func main() {
	lines, answers := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var image string
		if err := json.Unmarshal(lines.Bytes(), &image); err != nil {
			fail(err)
		}
		if err := answers.Encode(ask(image)); err != nil {
			fail(err)
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

// ask does what applyDefaultImageTag of pkg/kubelet/images and PullImage of containerd's
// CRI plugin do, one after the other.
func ask(image string) read {
	repository, tag, digest, err := parsers.ParseImageName(image)
	if err != nil {
		return read{Error: err.Error()}
	}
	pulled, err := reference.ParseDockerRef(image)
	if err != nil {
		return read{Error: err.Error()}
	}
	return read{repository, tag, digest, pulled.String(), ""}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "references:", err)
	os.Exit(1)
}
