// Command wire prints what Kubernetes' Go types look like on the wire.
//
// Usage: wire MODULE=FOLDER... < KINDS
//
// The modules hold the sources of the types; KINDS is one GROUP/VERSION/KIND a line,
// where the core group is empty (/v1/Pod). The answer is one JSON object on standard
// output: for each kind that is an object with metadata its Go type, and for each struct
// type that these reach the shape of every JSON field. A shape is written as Go would:
//
//	*T              a pointer: its zero value differs from absence
//	[]T             a list
//	map[string]T    a map
//	(T|U)           either, told apart by what JSON has there
//	core/v1.PodSpec another struct of the table
//	string bool int float bytes any quantity milliQuantity intOrString
//	time microTime
//
// The sources are parsed, not compiled: that costs seconds for all minors together and
// needs nothing but Go's own library. What parsing cannot know (a type that writes its
// own JSON) is an error until leaves says what it is.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

const (
	machinery  = "k8s.io/apimachinery/pkg/"
	extensions = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	schema     = "apiextensions/v1.JSONSchemaProps"
	metadata   = "meta/v1.ObjectMeta"
)

// leaves are the types that write their JSON themselves, or are read as one value.
var leaves = map[string]string{
	machinery + "api/resource.Quantity":          "quantity",
	machinery + "util/intstr.IntOrString":        "intOrString",
	machinery + "apis/meta/v1.Time":              "time",
	machinery + "apis/meta/v1.MicroTime":         "microTime",
	machinery + "apis/meta/v1.FieldsV1":          "any",
	machinery + "runtime.RawExtension":           "any",
	extensions + ".JSON":                         "any",
	extensions + ".JSONSchemaPropsOrBool":        "(" + schema + "|bool)",
	extensions + ".JSONSchemaPropsOrArray":       "(" + schema + "|[]" + schema + ")",
	extensions + ".JSONSchemaPropsOrStringArray": "(" + schema + "|[]string)",
	// SetDefaults_ResourceList rounds the values of this one map type up to milli.
	"k8s.io/api/core/v1.ResourceList": "map[string]milliQuantity",
}

// basics are Go's own types.
var basics = map[string]string{
	"string": "string", "bool": "bool", "float64": "float",
	"int": "int", "int32": "int", "int64": "int", "uint32": "int",
}

// table is the whole answer; encoding/json sorts the keys of maps.
type table struct {
	Kinds map[string]string            `json:"kinds"`
	Types map[string]map[string]string `json:"types"`
}

// pkg is one package, parsed.
type pkg struct {
	path  string
	types map[string]declared
	own   map[string]bool // types with a MarshalJSON
}

// declared is the declaration of a type and the file it is in, for its imports.
type declared struct {
	spec *ast.TypeSpec
	file *ast.File
}

// sources finds and keeps packages.
type sources struct {
	modules map[string]string // module path to folder
	parsed  map[string]*pkg   // by import path
}

func main() {
	from := sources{map[string]string{}, map[string]*pkg{}}
	for _, argument := range os.Args[1:] {
		module, folder, _ := strings.Cut(argument, "=")
		from.modules[module] = folder
	}
	groups := from.groups()
	answer := table{map[string]string{}, map[string]map[string]string{}}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		version, kind := path.Split(lines.Text())
		home, ok := groups[strings.TrimSuffix(version, "/")]
		if !ok {
			fail("no package has the types of %s", lines.Text())
		}
		p := from.open(home)
		if _, ok := p.types[kind]; !ok {
			fail("%s has no type %s", home, kind)
		}
		if from.hasMetadata(p, kind) {
			answer.Kinds[lines.Text()] = answer.structure(from, p, kind)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fail("%s", err)
	}
}

// groups returns the package of each GROUP/VERSION: the folder register.go is in is
// named by the version, and the constant GroupName in it is the group.
func (from sources) groups() map[string]string {
	found := map[string]string{}
	for module, folder := range from.modules {
		for _, pattern := range []string{"*/*/register.go", "pkg/apis/*/*/register.go"} {
			files, _ := filepath.Glob(filepath.Join(folder, pattern))
			for _, file := range files {
				home, _ := filepath.Rel(folder, filepath.Dir(file))
				if group, ok := groupName(parse(file)); ok {
					version := filepath.Base(home)
					found[group+"/"+version] = path.Join(module, filepath.ToSlash(home))
				}
			}
		}
	}
	return found
}

func groupName(file *ast.File) (string, bool) {
	for _, declaration := range file.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok || general.Tok != token.CONST {
			continue
		}
		for _, spec := range general.Specs {
			value := spec.(*ast.ValueSpec)
			if value.Names[0].Name == "GroupName" {
				return unquoted(value.Values[0].(*ast.BasicLit)), true
			}
		}
	}
	return "", false
}

// open parses the package with an import path. Generated files are left out: they
// declare no type of the API, and are most of the text.
func (from sources) open(home string) *pkg {
	if known, ok := from.parsed[home]; ok {
		return known
	}
	p := &pkg{home, map[string]declared{}, map[string]bool{}}
	from.parsed[home] = p
	files, _ := filepath.Glob(filepath.Join(from.folder(home), "*.go"))
	for _, name := range files {
		base := filepath.Base(name)
		if strings.HasSuffix(base, "_test.go") ||
			strings.HasPrefix(base, "generated.") ||
			strings.HasPrefix(base, "zz_generated.") {
			continue
		}
		p.enter(parse(name))
	}
	return p
}

func (from sources) folder(home string) string {
	for module, folder := range from.modules {
		if below, ok := strings.CutPrefix(home, module+"/"); ok {
			return filepath.Join(folder, below)
		}
	}
	fail("%s is in none of the modules", home)
	return ""
}

func (p *pkg) enter(file *ast.File) {
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok {
					p.types[t.Name.Name] = declared{t, file}
				}
			}
		case *ast.FuncDecl:
			if d.Recv != nil && d.Name.Name == "MarshalJSON" {
				receiver := d.Recv.List[0].Type
				if star, ok := receiver.(*ast.StarExpr); ok {
					receiver = star.X
				}
				p.own[receiver.(*ast.Ident).Name] = true
			}
		}
	}
}

// resolve returns the package and name that an identifier of a type means in a file.
func (from sources) resolve(p *pkg, file *ast.File, expr ast.Expr) (*pkg, string) {
	selector, ok := expr.(*ast.SelectorExpr)
	if !ok {
		return p, expr.(*ast.Ident).Name
	}
	alias := selector.X.(*ast.Ident).Name
	for _, imported := range file.Imports {
		home := unquoted(imported.Path)
		if imported.Name != nil && imported.Name.Name == alias ||
			imported.Name == nil && path.Base(home) == alias {
			return from.open(home), selector.Sel.Name
		}
	}
	fail("%s: nothing is imported as %s", p.path, alias)
	return nil, ""
}

// shape describes a type that is written as expr in a file of p.
func (answer *table) shape(from sources, p *pkg, file *ast.File, expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return "*" + answer.shape(from, p, file, e.X)
	case *ast.ArrayType:
		if item, ok := e.Elt.(*ast.Ident); ok && item.Name == "byte" {
			return "bytes"
		}
		return "[]" + answer.shape(from, p, file, e.Elt)
	case *ast.MapType:
		return "map[string]" + answer.shape(from, p, file, e.Value)
	case *ast.Ident, *ast.SelectorExpr:
		return answer.named(from, p, file, expr)
	}
	fail("%s: %T has no shape yet", p.path, expr)
	return ""
}

// named describes a type that has a name.
func (answer *table) named(from sources, p *pkg, file *ast.File, expr ast.Expr) string {
	home, name := from.resolve(p, file, expr)
	if leaf, ok := leaves[home.path+"."+name]; ok {
		if strings.Contains(leaf, schema) {
			answer.structure(from, home, path.Ext(schema)[1:])
		}
		return leaf
	}
	if home.own[name] {
		fail("%s.%s writes its own JSON: say in leaves what it is", home.path, name)
	}
	found, ok := home.types[name]
	if !ok {
		basic, ok := basics[name]
		if !ok || home != p {
			fail("%s.%s has no shape yet", home.path, name)
		}
		return basic
	}
	if _, isStruct := found.spec.Type.(*ast.StructType); isStruct {
		return answer.structure(from, home, name)
	}
	return answer.shape(from, home, found.file, found.spec.Type)
}

// fieldsOf returns the fields of a struct and where it is declared, which is elsewhere
// if the type is another name for one (type Rule = v1.Rule).
func (from sources) fieldsOf(p *pkg, name string) (*pkg, *ast.File, []*ast.Field) {
	found := p.types[name]
	if s, ok := found.spec.Type.(*ast.StructType); ok {
		return p, found.file, s.Fields.List
	}
	home, target := from.resolve(p, found.file, found.spec.Type)
	return from.fieldsOf(home, target)
}

// structure enters a struct and all it reaches into the table and returns its name.
func (answer *table) structure(from sources, p *pkg, name string) string {
	full := p.full(name)
	if _, ok := answer.Types[full]; !ok {
		fields := map[string]string{}
		answer.Types[full] = fields // before its fields: types may be recursive
		answer.addFields(from, p, name, fields)
	}
	return full
}

// addFields enters the JSON fields of a struct, those of embedded structs among them.
func (answer *table) addFields(from sources, p *pkg, name string, to map[string]string) {
	home, file, fields := from.fieldsOf(p, name)
	for _, field := range fields {
		name := jsonName(field)
		switch {
		case name == "-":
		case name != "":
			to[name] = answer.shape(from, home, file, field.Type)
		case len(field.Names) == 0:
			embedded, of := from.resolve(home, file, field.Type)
			answer.addFields(from, embedded, of, to)
		default:
			fail("%s.%s has no JSON name", home.path, field.Names[0].Name)
		}
	}
}

// hasMetadata tells whether a type is an object: options and lists are none.
func (from sources) hasMetadata(p *pkg, name string) bool {
	home, file, fields := from.fieldsOf(p, name)
	for _, field := range fields {
		if jsonName(field) == "metadata" {
			of, name := from.resolve(home, file, field.Type)
			return of.full(name) == metadata
		}
	}
	return false
}

// full names a type as the table does.
func (p *pkg) full(name string) string {
	return path.Join(path.Base(path.Dir(p.path)), path.Base(p.path)) + "." + name
}

func jsonName(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	tag := reflect.StructTag(unquoted(field.Tag)).Get("json")
	name, _, _ := strings.Cut(tag, ",")
	return name
}

func parse(name string) *ast.File {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		fail("%s", err)
	}
	return file
}

func unquoted(literal *ast.BasicLit) string {
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		fail("%s", err)
	}
	return text
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "wire: "+format+"\n", values...)
	os.Exit(1)
}
