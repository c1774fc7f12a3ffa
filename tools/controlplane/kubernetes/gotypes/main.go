// Command gotypes prints what the wire looks like to Kubernetes' own Go types.
//
// Usage: gotypes GROUP/VERSION/KIND...   (the core group is written v1/KIND)
//
// The answer is one JSON object on standard output: the Kubernetes minor, for each
// kind its Go type and REST scope, and for each struct type that these kinds reach
// the shape of every JSON field. A shape is written as Go writes it:
//
//	*T              a pointer: its zero value differs from absence
//	[]T             a list
//	map[string]T    a map
//	core/v1.PodSpec another struct of the table
//	string bool int bytes any quantity milliQuantity intOrString time
//
// Nothing is typed in by hand: shapes come from reflection over k8s.io/api, scope and
// the presence of a status subresource from client-go's typed interfaces, which
// Kubernetes generates from the same markers as its documentation.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
)

// kind says where an object lives and what its Go type is called.
type kind struct {
	Type       string `json:"type"`
	Namespaced bool   `json:"namespaced"`
	Status     bool   `json:"status"` // status is a subresource
}

// table is the whole answer; encoding/json sorts the keys of maps.
type table struct {
	Minor string                       `json:"minor"`
	Kinds map[string]kind              `json:"kinds"`
	Types map[string]map[string]string `json:"types"`
}

// leaves are the types that write their JSON themselves, or are read as one value.
var leaves = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():    "quantity",
	reflect.TypeFor[intstr.IntOrString]():   "intOrString",
	reflect.TypeFor[metav1.Time]():          "time",
	reflect.TypeFor[runtime.RawExtension](): "any",
	reflect.TypeFor[metav1.FieldsV1]():      "any",
	// SetDefaults_ResourceList rounds the values of this one map type up to milli.
	reflect.TypeFor[corev1.ResourceList](): "map[string]milliQuantity",
}

func main() {
	answer := table{minor(), map[string]kind{}, map[string]map[string]string{}}
	scopes := scopesOf(reflect.TypeFor[kubernetes.Interface]())
	for _, name := range os.Args[1:] {
		cut := strings.LastIndex(name, "/")
		group, err := schema.ParseGroupVersion(name[:max(cut, 0)])
		must(err)
		object, err := scheme.Scheme.New(group.WithKind(name[cut+1:]))
		must(err)
		t := reflect.TypeOf(object).Elem()
		known, ok := scopes[t]
		if !ok {
			must(fmt.Errorf("client-go has no typed client for %s", name))
		}
		known.Type = answer.structure(t)
		answer.Kinds[name] = known
	}
	must(json.NewEncoder(os.Stdout).Encode(answer))
}

// minor is the Kubernetes minor whose types are linked in: k8s.io/api v0.37.2 is 1.37.
func minor() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		must(fmt.Errorf("built without module information"))
	}
	for _, module := range info.Deps {
		if module.Path == "k8s.io/api" {
			return "1." + strings.Split(module.Version, ".")[1]
		}
	}
	must(fmt.Errorf("k8s.io/api is not among the modules"))
	return ""
}

// scopesOf reads from the typed clients, per object type, whether the collection is
// asked for by namespace, and whether status is written through a subresource.
func scopesOf(clients reflect.Type) map[reflect.Type]kind {
	scopes := map[reflect.Type]kind{}
	for i := range clients.NumMethod() {
		group := clients.Method(i).Type.Out(0) // CoreV1Interface
		for j := range group.NumMethod() {
			getter := group.Method(j).Type // func(namespace string) PodInterface
			client := getter.Out(0)
			if client.Kind() != reflect.Interface {
				continue
			}
			get, ok := client.MethodByName("Get")
			if !ok {
				continue
			}
			_, status := client.MethodByName("UpdateStatus")
			object := get.Type.Out(0).Elem()
			scopes[object] = kind{Namespaced: getter.NumIn() == 1, Status: status}
		}
	}
	return scopes
}

// shape describes a field of type t.
func (answer *table) shape(t reflect.Type) string {
	if leaf, ok := leaves[t]; ok {
		return leaf
	}
	if t.Kind() == reflect.Pointer {
		return "*" + answer.shape(t.Elem())
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]()) {
		must(fmt.Errorf("%s writes its own JSON: say in leaves what it is", t))
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int32, reflect.Int64:
		return "int"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[]" + answer.shape(t.Elem())
	case reflect.Map:
		return "map[string]" + answer.shape(t.Elem())
	case reflect.Struct:
		return answer.structure(t)
	}
	must(fmt.Errorf("%s has no shape yet", t))
	return ""
}

// structure enters t and all it reaches into the table and returns its name.
func (answer *table) structure(t reflect.Type) string {
	parts := strings.Split(t.PkgPath(), "/")
	name := strings.Join(parts[len(parts)-2:], "/") + "." + t.Name()
	if _, ok := answer.Types[name]; !ok {
		fields := map[string]string{}
		answer.Types[name] = fields // before its fields: types may be recursive
		answer.addFields(t, fields)
	}
	return name
}

// addFields enters the JSON fields of t, those of embedded structs among them.
func (answer *table) addFields(t reflect.Type, fields map[string]string) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name != "":
			fields[name] = answer.shape(field.Type)
		case field.Anonymous:
			answer.addFields(field.Type, fields)
		default:
			must(fmt.Errorf("%s.%s has no JSON name", t, field.Name))
		}
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotypes:", err)
		os.Exit(1)
	}
}
