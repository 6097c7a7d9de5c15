package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// ownPrefix starts the variables that are the product's alone; others in the environment are none of its business.
const ownPrefix = "VELOZ_"

// serviceLink are the variables that Kubernetes and Docker make up for a Service named veloz or veloz-something.
var serviceLink = regexp.MustCompile(`^VELOZ_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

func (l *layers) unknownVariables() []error {
	known := slices.Sorted(slices.Values(l.known))
	var problems []error
	for name := range l.env {
		if strings.HasPrefix(name, ownPrefix) && !slices.Contains(known, name) && !serviceLink.MatchString(name) {
			problems = append(problems, fmt.Errorf("unknown environment variable %s%s", name, didYouMean(name, known)))
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}

// readFile takes a flat file, `log-level: debug`, as well as a nested one, `log: {level: debug}`.
func (l *layers) readFile() []error {
	text, err := os.ReadFile(l.path)
	if err != nil {
		return []error{fmt.Errorf("read --config: %w", err)}
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return []error{fmt.Errorf("%s is not YAML: %w", l.path, err)}
	}
	l.file = map[string]string{}
	if len(document.Content) == 0 {
		return nil // empty, or comments only
	}
	return l.readNode("", document.Content[0])
}

func (l *layers) readNode(name string, node *yaml.Node) []error {
	switch node.Kind {
	case yaml.AliasNode:
		return l.readNode(name, node.Alias)
	case yaml.MappingNode:
		var problems []error
		for i := 0; i+1 < len(node.Content); i += 2 {
			problems = append(problems, l.readNode(joinKey(name, node.Content[i].Value), node.Content[i+1])...)
		}
		return problems
	case yaml.SequenceNode:
		values := make([]string, len(node.Content))
		for i, element := range node.Content {
			values[i] = element.Value
		}
		return l.setKey(name, strings.Join(values, ","), node.Line)
	}
	return l.setKey(name, node.Value, node.Line)
}

func joinKey(parent, key string) string {
	key = strings.ReplaceAll(key, "_", "-")
	if parent == "" {
		return key
	}
	return parent + "-" + key
}

// notInFile are the flags that a file cannot sensibly set.
var notInFile = []string{"", "help", "config", "check-config", "version"}

func (l *layers) setKey(name, value string, line int) []error {
	if _, known := l.flags[name]; !known || slices.Contains(notInFile, name) {
		names := slices.DeleteFunc(l.names(), func(n string) bool { return slices.Contains(notInFile, n) })
		return []error{fmt.Errorf("%s:%d: unknown key %q%s", l.path, line, name, didYouMean(name, names))}
	}
	if _, twice := l.file[name]; twice {
		return []error{fmt.Errorf("%s:%d: key %q is set twice", l.path, line, name)}
	}
	l.file[name] = value
	return nil
}

// print writes the settings in force of the command that was asked for, as a file that --config takes, with the source of
// each in a comment. Secrets are hidden by their types (Secret, DatabaseURL).
func (l *layers) print(w io.Writer, parsed *kong.Context) error {
	for _, path := range parsed.Path {
		if path.Flag != nil && !path.Resolved {
			l.source[path.Flag.Name] = "flag"
		}
	}
	var problems []error
	flags := slices.SortedFunc(slices.Values(parsed.Flags()), func(a, b *kong.Flag) int { return strings.Compare(a.Name, b.Name) })
	for _, flag := range flags {
		if slices.Contains(notInFile, flag.Name) {
			continue
		}
		line := fmt.Sprintf("# %s is not set", flag.Name)
		if value := reflect.Indirect(flag.Target); value.IsValid() { // nil is no value that the file could take
			line = fmt.Sprintf("%s: %s  # %s", flag.Name, printable(value), cmp.Or(l.source[flag.Name], "default"))
		}
		_, err := fmt.Fprintln(w, line)
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

func printable(value reflect.Value) string {
	text := fmt.Sprint(value.Interface())
	if value.Kind() == reflect.Slice {
		parts := make([]string, value.Len())
		for i := range parts {
			parts[i] = printable(value.Index(i))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	switch value.Kind() {
	case reflect.Bool, reflect.Int, reflect.Float64:
		return text
	}
	return strconv.Quote(text)
}
