package httpx

import (
	"net"
	"net/http"
	"time"
)

// TransportConfig shapes Transport. Zero values stand for the defaults.
type TransportConfig struct {
	MaxConnsPerHost int           // 512; a request beyond it waits until its context ends
	MaxIdlePerHost  int           // 256; Go's own default is 2, which reconnects all the time
	DialTimeout     time.Duration // 1 s: peers are near
	ResponseTimeout time.Duration // 30 s until the answer's header, for calls that forgot their deadline
	IdleTimeout     time.Duration // 60 s, shorter than a server's 90 s, so that the client closes first
}

func (c TransportConfig) withDefaults() TransportConfig {
	if c.MaxConnsPerHost <= 0 {
		c.MaxConnsPerHost = 512
	}
	if c.MaxIdlePerHost <= 0 {
		c.MaxIdlePerHost = min(256, c.MaxConnsPerHost)
	}
	if c.DialTimeout <= 0 {
		c.DialTimeout = time.Second
	}
	if c.ResponseTimeout <= 0 {
		c.ResponseTimeout = 30 * time.Second
	}
	if c.IdleTimeout <= 0 {
		c.IdleTimeout = time.Minute
	}
	return c
}

// Transport makes the http.Transport for calls between peers. It ignores HTTP_PROXY and does not compress.
//
// Know that http.Transport retries by itself: a request on a kept connection that the server closed before it answered a
// byte is sent again, when its method is idempotent or it has an `Idempotency-Key` (or `X-Idempotency-Key`) header, and
// its body can be read again (GetBody). That is one attempt beneath every retry policy above it (rule 13); it is safe
// here because each write is idempotent by that key. A nil GetBody turns it off for a request with a body.
func Transport(cfg TransportConfig) *http.Transport {
	cfg = cfg.withDefaults()
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: cfg.DialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		Protocols:              &protocols,
		MaxConnsPerHost:        cfg.MaxConnsPerHost,
		MaxIdleConnsPerHost:    cfg.MaxIdlePerHost,
		IdleConnTimeout:        cfg.IdleTimeout,
		ResponseHeaderTimeout:  cfg.ResponseTimeout,
		TLSHandshakeTimeout:    5 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		WriteBufferSize:        16 << 10,
		ReadBufferSize:         16 << 10,
		DisableCompression:     true,
	}
}
