// Package sandbox is a provider that moves no money: what becomes of a charge stands in its token.
//
//	tok_approved          paid
//	tok_declined          declined, with reason `card_declined`
//	tok_timeout_approved  the answer is lost; asked later, it was paid
//	tok_timeout_declined  the answer is lost; asked later, it was declined
//	tok_slow              paid, 2 seconds after the charge was made (Config.SlowDelay)
//	anything else         declined, with reason `unknown_token`
//
// A Pix waits for its payer with a valid BR Code, which no bank can pay; POST /v1/sandbox/pix/{txid}/pay plays the payer.
// Nothing is remembered: every answer follows from the charge alone, so that a restart changes none, and a charge counts
// as made from the moment that it was wished for.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments/brcode"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/clock"
)

// The tokens.
const (
	Approved        = "tok_approved"
	Declined        = "tok_declined"
	TimeoutApproved = "tok_timeout_approved"
	TimeoutDeclined = "tok_timeout_declined"
	Slow            = "tok_slow"
)

// The reasons of declines.
const (
	ReasonDeclined     = "card_declined"
	ReasonUnknownToken = "unknown_token"
)

// Name is what the service stores with each charge.
const Name = "sandbox"

// errAnswerLost plays a connection that broke after the effect.
var errAnswerLost = errors.New("sandbox: the answer was lost")

// pixHost cannot exist (RFC 6761): a bank that scans the code finds nothing.
const pixHost = "pix.sandbox.invalid/qr/v2/"

// Config shapes the sandbox. Zero durations stand for the defaults; the rest is required.
type Config struct {
	PixExpiry    time.Duration // after the charge was made; 15 minutes by default
	SlowDelay    time.Duration // 2 seconds by default
	MerchantName string        // in the BR Code, folded to 25 characters of ASCII
	MerchantCity string        // in the BR Code, folded to 15 characters of ASCII
	Clock        clock.Clock   // also the timer of tok_slow
}

func (c Config) withDefaults() Config {
	if c.PixExpiry == 0 {
		c.PixExpiry = 15 * time.Minute
	}
	if c.SlowDelay == 0 {
		c.SlowDelay = 2 * time.Second
	}
	return c
}

// Provider implements payments.Provider.
type Provider struct{ cfg Config }

var _ payments.Provider = (*Provider)(nil)

// New makes a sandbox, or says what is wrong with its configuration.
func New(cfg Config) (*Provider, error) {
	cfg = cfg.withDefaults()
	if cfg.PixExpiry < 0 || cfg.SlowDelay < 0 || cfg.Clock == nil {
		return nil, fmt.Errorf("sandbox: the Pix expiry (%s) and the delay (%s) must be positive, and the clock set", cfg.PixExpiry, cfg.SlowDelay)
	}
	p := &Provider{cfg: cfg}
	if _, err := p.code(payments.ID{}); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return p, nil
}

// Name implements payments.Provider.
func (p *Provider) Name() string { return Name }

// Charge implements payments.Provider.
func (p *Provider) Charge(ctx context.Context, c payments.Charge) (payments.Outcome, error) {
	switch {
	case c.Method == payments.Pix:
		return p.open(c)
	case c.Token == TimeoutApproved || c.Token == TimeoutDeclined:
		return payments.Outcome{}, errAnswerLost
	case c.Token == Slow:
		return p.decideSlowly(ctx, c)
	default:
		return decide(c.Token), nil
	}
}

// Query implements payments.Provider.
func (p *Provider) Query(_ context.Context, c payments.Charge) (payments.Outcome, error) {
	switch {
	case c.Method == payments.Pix:
		return p.open(c)
	case c.Token == Slow && p.undecided(c) > 0:
		return payments.Outcome{Status: payments.OutcomeUnknown}, nil
	default:
		return decide(c.Token), nil
	}
}

// Close implements payments.Provider: nobody but the sandbox's payer pays a Pix, and he goes to the service.
func (p *Provider) Close(ctx context.Context, c payments.Charge) (payments.Outcome, error) {
	if c.Method == payments.Pix {
		return payments.Outcome{Status: payments.OutcomeVoided}, nil
	}
	return p.Query(ctx, c)
}

// Refund implements payments.Provider: it always works.
func (p *Provider) Refund(context.Context, payments.Charge, string, money.Cents) error { return nil }

func (p *Provider) open(c payments.Charge) (payments.Outcome, error) {
	code, err := p.code(c.ID)
	if err != nil {
		return payments.Outcome{}, err
	}
	return payments.Outcome{Status: payments.OutcomePending, Pix: &payments.PixCharge{
		TxID: payments.TxID(c.ID), CopyPaste: code, ExpiresAt: c.CreatedAt.Add(p.cfg.PixExpiry),
	}}, nil
}

func (p *Provider) code(id payments.ID) (string, error) {
	return brcode.Code{URL: pixHost + payments.TxID(id), Name: p.cfg.MerchantName, City: p.cfg.MerchantCity}.Encode()
}

// undecided is how long tok_slow still takes.
func (p *Provider) undecided(c payments.Charge) time.Duration {
	return c.CreatedAt.Add(p.cfg.SlowDelay).Sub(p.cfg.Clock.Now())
}

func (p *Provider) decideSlowly(ctx context.Context, c payments.Charge) (payments.Outcome, error) {
	if wait := p.undecided(c); wait > 0 {
		decided := make(chan struct{})
		p.cfg.Clock.AfterFunc(wait, func() { close(decided) })
		select {
		case <-decided:
		case <-ctx.Done():
			return payments.Outcome{}, fmt.Errorf("sandbox: wait for a slow charge: %w", ctx.Err())
		}
	}
	return decide(c.Token), nil
}

func decide(token string) payments.Outcome {
	switch token {
	case Approved, TimeoutApproved, Slow:
		return payments.Outcome{Status: payments.OutcomePaid}
	case Declined, TimeoutDeclined:
		return payments.Outcome{Status: payments.OutcomeDeclined, Reason: ReasonDeclined}
	default:
		return payments.Outcome{Status: payments.OutcomeDeclined, Reason: ReasonUnknownToken}
	}
}
