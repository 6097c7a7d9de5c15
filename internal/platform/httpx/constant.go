package httpx

import "net/http"

// Constant is a set of headers that many answers carry, one value each, made ready once.
type Constant struct {
	names  []string
	values [][]string
	text   []byte
}

// NewConstant makes a set of pairs of a name, in its canonical form, and a value.
func NewConstant(pairs ...[2]string) *Constant {
	c := &Constant{}
	for _, pair := range pairs {
		c.names = append(c.names, pair[0])
		c.values = append(c.values, []string{pair[1]})
		c.text = append(appendFieldValue(append(append(c.text, pair[0]...), ": "...), pair[1]), "\r\n"...)
	}
	return c
}

// Set puts the headers into the answer, where a handler may still replace them. Of an answer to a plain request it is the
// whole text, beside the map: a map of more than eight headers costs several times as much as one of eight.
func (c *Constant) Set(w http.ResponseWriter) {
	if recorder, ok := w.(*Recorder); ok {
		if plain, ok := recorder.ResponseWriter.(*plainWriter); ok {
			plain.constant = c
			return
		}
	}
	h := w.Header()
	for i, name := range c.names {
		h[name] = c.values[i]
	}
}

// Names are those of the headers.
func (c *Constant) Names() []string { return c.names }

// append writes those that the handler has not replaced.
func (c *Constant) append(b []byte, replaced http.Header) []byte {
	any := false
	for _, name := range c.names {
		_, found := replaced[name]
		any = any || found
	}
	if !any {
		return append(b, c.text...)
	}
	for i, name := range c.names {
		if _, found := replaced[name]; !found {
			b = append(appendFieldValue(append(append(b, name...), ": "...), c.values[i][0]), "\r\n"...)
		}
	}
	return b
}
