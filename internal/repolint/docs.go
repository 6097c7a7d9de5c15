package repolint

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The two forms of the first page. They have the same sections and the same commands.
const (
	readme           = "README.md"
	readmePortuguese = "README.pt-BR.md"
)

var (
	// namedPath is a path from the repository's root, after something that can stand before one.
	namedPath = regexp.MustCompile("(?:^|[\\s`\"'(\\[])(?:\\./)?((?:api|bench|cmd|deploy|docs|internal|k8s|terraform|web|\\.ci|\\.github)/[A-Za-z0-9_./*-]*[A-Za-z0-9_*/])")
	// namedGoFile is a Go file that is named without its folder.
	namedGoFile = regexp.MustCompile("(?:^|[\\s`\"'(])([a-z0-9_]+\\.go)\\b")
	link        = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading     = regexp.MustCompile(`^(#{1,6}) +(.+?) *$`)
	fence       = regexp.MustCompile("^```([a-z]*)")
)

// markdown are the documents, by path.
func (r *Repo) markdown() map[string]string {
	documents := make(map[string]string)
	for name, text := range r.Texts {
		if path.Ext(name) == ".md" {
			documents[name] = text
		}
	}
	return documents
}

// Paths finds paths in documents and comments that lead nowhere.
func Paths(r *Repo) (findings []Finding) {
	for name, text := range r.markdown() {
		scan(text, namedPath, func(line int, groups []string) {
			if !r.Exists(groups[1]) {
				findings = append(findings, Finding{name, line, groups[1] + " does not exist"})
			}
		})
	}
	for _, f := range r.Written() {
		for _, group := range f.AST.Comments {
			for _, comment := range group.List {
				first := f.Fset.Position(comment.Pos()).Line
				scan(comment.Text, namedPath, func(line int, groups []string) {
					if !r.Exists(groups[1]) && !r.imported(groups[1]) {
						findings = append(findings, Finding{f.Path, first + line - 1, groups[1] + " does not exist"})
					}
				})
				scan(comment.Text, namedGoFile, func(line int, groups []string) {
					if !r.Exists(path.Join(f.Folder, groups[1])) {
						findings = append(findings, Finding{f.Path, first + line - 1, groups[1] + " is not in this folder"})
					}
				})
			}
		}
	}
	return sorted(findings)
}

// imported tells whether name is a package and one of its exported names, such as internal/orders.Store.
func (r *Repo) imported(name string) bool {
	folder, _, qualified := strings.Cut(path.Base(name), ".")
	return qualified && r.Exists(path.Join(path.Dir(name), folder))
}

// Links finds links between documents that lead nowhere, to a file or to a heading.
func Links(r *Repo) (findings []Finding) {
	for name, text := range r.markdown() {
		scan(text, link, func(line int, groups []string) {
			if problem := r.linkProblem(name, groups[1]); problem != "" {
				findings = append(findings, Finding{name, line, problem})
			}
		})
	}
	return sorted(findings)
}

func (r *Repo) linkProblem(from, target string) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return ""
	}
	file, anchor, _ := strings.Cut(target, "#")
	to := from
	if file != "" {
		to = path.Join(path.Dir(from), file)
	}
	if !r.Exists(to) {
		return "the link to " + target + " leads nowhere"
	}
	if anchor != "" && path.Ext(to) == ".md" && !slices.Contains(anchors(r.Texts[to]), anchor) {
		return "the link to " + target + " names no heading there"
	}
	return ""
}

var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)

// anchors are the names by which GitHub links to a document's headings.
func anchors(text string) (names []string) {
	for _, h := range headings(text) {
		name := notInAnchor.ReplaceAllString(strings.ToLower(h.text), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

type section struct {
	level int
	text  string
}

func headings(text string) (found []section) {
	inFence := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "```") {
			inFence = !inFence
		}
		if groups := heading.FindStringSubmatch(line); groups != nil && !inFence {
			found = append(found, section{len(groups[1]), groups[2]})
		}
	}
	return found
}

// Translation finds where the two READMEs part: in their sections, or in what there is to paste.
func Translation(r *Repo) (findings []Finding) {
	english, portuguese := r.Texts[readme], r.Texts[readmePortuguese]
	var levels [2][]int
	for i, text := range []string{english, portuguese} {
		for _, h := range headings(text) {
			levels[i] = append(levels[i], h.level)
		}
	}
	if !slices.Equal(levels[0], levels[1]) {
		findings = append(findings, Finding{readmePortuguese, 0, fmt.Sprintf("the headings' levels are %v, and those of %s %v", levels[1], readme, levels[0])})
	}
	if want, got := pastable(english), pastable(portuguese); !slices.Equal(want, got) {
		findings = append(findings, Finding{readmePortuguese, 0, "the commands differ from those of " + readme})
	}
	return findings
}

// pastable are the lines of a document that are meant for a shell, without their comments.
func pastable(text string) (lines []string) {
	language := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		if groups := fence.FindStringSubmatch(line); groups != nil {
			if language != "" {
				language = ""
			} else {
				language = groups[1] + " " // never empty inside a fence
			}
			continue
		}
		command, _, _ := strings.Cut(line, " #")
		if command = strings.TrimSpace(command); language == "sh " && command != "" && !strings.HasPrefix(command, "#") {
			lines = append(lines, command)
		}
	}
	return lines
}

// private are traces of somebody's machine or network, which mean nothing to a reader.
var private = []*regexp.Regexp{
	regexp.MustCompile("(?:^|[\\s`\"'(=:])(/(?:work|home|root|Users|mnt)/[A-Za-z0-9_-]+)"), // not a container's /root/.cache
	regexp.MustCompile(`(/tmp/bash_[A-Za-z0-9_.]+)`),
	regexp.MustCompile(`\b((?:GOPROXY|GONOSUMDB|GOINSECURE|NPM_CONFIG_REGISTRY|PIP_INDEX_URL)\s*[=:]\s*\S+)`),
	regexp.MustCompile(`("resolved": "https?://(?:[^r]|r[^e]|re[^g])[^"]*")`),
	regexp.MustCompile(`\b(BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY)\b`),
}

// Private finds what belongs to one machine and not to the product.
func Private(r *Repo) (findings []Finding) {
	for name, text := range r.Texts {
		if strings.HasPrefix(name, "internal/repolint/") {
			continue // the patterns and their bad examples
		}
		for _, pattern := range private {
			scan(text, pattern, func(line int, groups []string) {
				findings = append(findings, Finding{name, line, groups[1] + " is private to a machine"})
			})
		}
	}
	return sorted(findings)
}
