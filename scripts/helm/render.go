// Renders a Helm chart for tests, where helm itself cannot be installed: Helm's templates are Go's text/template with the functions
// of sprig, both of which are Debian packages, and the few functions below. Values are merged as Helm does.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run render.go CHART [VALUES.yaml ...]
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"gopkg.in/yaml.v3"
)

type values = map[string]interface{}

type files struct{ chart string }

// Get of a file that is missing is empty in Helm; in a test it is a mistake.
func (f files) Get(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(f.chart, name))
	return string(text), err
}

func main() {
	if err := render(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func render(chart string, overlays []string) error {
	all := values{}
	for _, path := range append([]string{filepath.Join(chart, "values.yaml")}, overlays...) {
		read, err := readYaml(path)
		if err != nil {
			return err
		}
		merge(all, read)
	}
	about, err := readYaml(filepath.Join(chart, "Chart.yaml"))
	if err != nil {
		return err
	}
	root := values{
		"Values":  all,
		"Release": values{"Name": "trial", "Namespace": "default", "Service": "Helm", "IsUpgrade": false, "IsInstall": true},
		"Chart":   values{"Name": about["name"], "Version": about["version"], "AppVersion": about["appVersion"]},
		"Files":   files{chart},
	}
	set := template.New("chart").Option("missingkey=zero")
	functions := sprig.TxtFuncMap()
	functions["toYaml"] = toYaml
	functions["include"] = func(name string, data interface{}) (string, error) {
		var out bytes.Buffer
		err := set.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	functions["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	// What `helm template` finds in a cluster that it does not ask.
	functions["lookup"] = func(...string) values { return values{} }
	set.Funcs(functions)
	paths, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	if err != nil {
		return err
	}
	sort.Strings(paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if _, err := set.New(filepath.Base(path)).Parse(string(text)); err != nil {
			return err
		}
	}
	for _, path := range paths {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "_") {
			continue
		}
		var out bytes.Buffer
		if err := set.ExecuteTemplate(&out, name, root); err != nil {
			return err
		}
		// As Helm does.
		text := strings.ReplaceAll(out.String(), "<no value>", "")
		fmt.Printf("---\n# Source: %s\n%s\n", name, text)
	}
	return nil
}

func readYaml(path string) (values, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	out := values{}
	return out, yaml.Unmarshal(text, &out)
}

func merge(into, from values) {
	for key, value := range from {
		known, isMap := into[key].(values)
		given, isGivenMap := value.(values)
		if isMap && isGivenMap {
			merge(known, given)
		} else {
			into[key] = value
		}
	}
}

func toYaml(value interface{}) (string, error) {
	text, err := yaml.Marshal(value)
	return strings.TrimSuffix(string(text), "\n"), err
}
