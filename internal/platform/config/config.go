// Package config reads a program's settings, from the strongest to the weakest: flags, environment, file, defaults.
// It is a small layer over kong: a struct with kong's tags is the whole declaration.
package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/spelling"
)

// Program is whose settings are read, and from where.
type Program struct {
	Name        string
	Description string
	Version     string
	Args        []string          // without the program's name: os.Args[1:]
	Env         []string          // os.Environ()
	Vars        map[string]string // for ${name} in tags, such as listen_address
	Stdout      io.Writer         // os.Stdout by default
}

// standard are the flags that every program has.
type standard struct {
	Config      string           `name:"config" placeholder:"FILE" env:"VELOZ_CONFIG" help:"YAML file with settings: a flag's name and its value a line."`
	CheckConfig bool             `name:"check-config" help:"Validate the settings, print what is in force without its secrets, and exit."`
	Version     kong.VersionFlag `name:"version" help:"Print the version and exit."`
}

// Parse fills target, a pointer to a struct, and validates it by kong's rules and by its Validate methods.
// It returns nil and no error when the program has nothing more to do: --help, --version and --check-config have printed.
// Errors name the flag, variable or key, and say what to do.
//
// Unknown keys of the file and unknown variables that begin with VELOZ_ are errors: a setting that is misspelled must not
// be a default in disguise. An empty variable counts as unset, as compose files make them.
func Parse(target any, program Program) (*kong.Context, error) {
	if program.Stdout == nil {
		program.Stdout = os.Stdout
	}
	settings, exited := &standard{}, false
	parser, err := kong.New(target, kong.Name(program.Name), kong.Description(program.Description), kong.Embed(settings),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Vars{"version": program.Version, "log_format": "json"}, kong.Vars(program.Vars),
		kong.Writers(program.Stdout, program.Stdout), kong.Exit(func(int) { exited = true }))
	if err != nil {
		return nil, fmt.Errorf("declaration of %s's settings: %w", program.Name, err)
	}
	layers, err := newLayers(parser, program)
	if err != nil {
		return nil, err
	}
	if err := kong.Resolvers(layers).Apply(parser); err != nil {
		return nil, fmt.Errorf("use the settings' sources: %w", err)
	}
	parsed, err := parser.Parse(program.Args)
	switch {
	case exited:
		return nil, nil
	case err != nil:
		return nil, layers.explain(err)
	case settings.CheckConfig:
		return nil, layers.print(program.Stdout, parsed)
	}
	return parsed, nil
}

// layers is what the environment and the file say, as a kong.Resolver.
type layers struct {
	flags  map[string]*kong.Flag // by name
	known  []string              // variables; of every flag, since two commands may have flags of one name
	env    map[string]string
	file   map[string]string // by flag's name
	path   string
	source map[string]string // where each flag's value came from
}

func newLayers(parser *kong.Kong, program Program) (*layers, error) {
	l := &layers{flags: map[string]*kong.Flag{}, env: map[string]string{}, source: map[string]string{}}
	err := kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			l.adopt(flag)
		}
		return next(nil)
	})
	if err != nil {
		return nil, fmt.Errorf("settings of %s: %w", program.Name, err)
	}
	for _, pair := range program.Env {
		if name, value, _ := strings.Cut(pair, "="); value != "" {
			l.env[name] = value
		}
	}
	l.path = configPath(program.Args, l.env)
	problems := l.unknownVariables()
	if l.path != "" {
		problems = append(problems, l.readFile()...)
	}
	return l, errors.Join(problems...)
}

// adopt takes the variables away from kong, which would read the process's environment and put the file above it.
func (l *layers) adopt(flag *kong.Flag) {
	l.flags[flag.Name] = flag
	l.known = append(l.known, flag.Envs...)
	if len(flag.Envs) > 0 {
		flag.Help = strings.TrimSpace(flag.Help) + " ($" + strings.Join(flag.Envs, ", $") + ")"
	}
	flag.Tag.Envs = nil
}

func configPath(args []string, env map[string]string) string {
	for i, arg := range args {
		switch value, found := strings.CutPrefix(arg, "--config="); {
		case arg == "--":
			return env["VELOZ_CONFIG"]
		case found:
			return value
		case arg == "--config" && i+1 < len(args):
			return args[i+1]
		}
	}
	return env["VELOZ_CONFIG"]
}

// Validate implements kong.Resolver.
func (l *layers) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver. kong asks only for flags that the command line does not have.
func (l *layers) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if value, ok := l.env[name]; ok {
			l.source[flag.Name] = name
			return value, nil
		}
	}
	if value, ok := l.file[flag.Name]; ok {
		l.source[flag.Name] = l.path
		return value, nil
	}
	return nil, nil
}

// explain adds where a bad value came from and how a missing one is set.
func (l *layers) explain(err error) error {
	text := err.Error()
	for _, name := range l.names() {
		flag := l.flags[name]
		if !mentions(text, name) {
			continue
		}
		switch source, resolved := l.source[name]; {
		case resolved:
			text += fmt.Sprintf("; --%s was set by %s", name, source)
		case strings.HasPrefix(text, "missing flags") && len(flag.Envs) > 0:
			text += fmt.Sprintf("; set %s or --%s", flag.Envs[0], name)
		}
	}
	if !strings.HasSuffix(text, "?") {
		text += ";"
	}
	return errors.New(text + " --help lists every setting")
}

func mentions(text, name string) bool {
	_, after, found := strings.Cut(text, "--"+name)
	return found && (after == "" || strings.ContainsAny(after[:1], "=:, ;"))
}

func (l *layers) names() []string {
	names := make([]string, 0, len(l.flags))
	for name := range l.flags {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func didYouMean(word string, candidates []string) string {
	if meant, ok := spelling.Closest(word, candidates); ok {
		return "; did you mean " + meant + "?"
	}
	return "; --help lists every setting"
}
