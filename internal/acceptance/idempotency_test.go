package acceptance_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

var idempotencyPromises = []promise{
	{"one key, fifty times at once, is one order", oneKeyOneOrder},
	{"a rejection is repeated, not tried again", rejectionIsRepeated},
	{"a key belongs to one body", keyBelongsToBody},
	{"a key belongs to one caller", keyBelongsToCaller},
	{"an order needs a key", keyIsRequired},
}

var rushPromises = []promise{{"a thousand buyers for one unit: one gets it", oneUnit}}

// together sends a request n times at once and waits for all answers.
func (a *api) together(n int, r request) []response {
	a.Helper()
	answers := make([]response, n)
	errs := make([]error, n)
	begin := make(chan struct{})
	var sent sync.WaitGroup
	for i := range answers {
		sent.Go(func() {
			<-begin
			answers[i], errs[i] = a.patiently(a.Context(), r)
		})
	}
	close(begin)
	sent.Wait()
	for _, err := range errs {
		if err != nil {
			a.Fatal(err)
		}
	}
	return answers
}

// patiently repeats a request for as long as the product asks for it by Retry-After: a client that is told to come back
// does. So does one whose connection was closed without an answer, as that of who is silent for too long, which on a busy
// machine is anybody: r has its key. How that looks depends on what the client was about to do, so any error counts but
// that nothing was heard for as long as the client waits.
func (a *api) patiently(ctx context.Context, r request) (response, error) {
	const silences = 5
	for closed := 0; ; {
		answer, err := a.try(ctx, a.system.client, r)
		if late := net.Error(nil); err != nil && !(errors.As(err, &late) && late.Timeout()) && closed < silences && ctx.Err() == nil {
			closed++
			continue
		}
		if err != nil {
			return response{}, fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
		seconds, err := strconv.Atoi(answer.header.Get("Retry-After"))
		if err != nil {
			return answer, nil
		}
		select {
		case <-time.After(time.Duration(seconds) * time.Second):
		case <-ctx.Done():
			return response{}, ctx.Err()
		}
	}
}

func oneKeyOneOrder(a *api) {
	sku, key := a.stocked(100, 100), rand.Text()
	r := request{http.MethodPost, "/v1/orders", card("tok_approved", line{sku, 1}), []string{"Idempotency-Key", key}}
	answers := a.together(50, r)
	for _, answer := range answers {
		if answer.want(http.StatusCreated); string(answer.body) != string(answers[0].body) {
			a.Errorf("two answers differ: %s and %s", answer.body, answers[0].body)
		}
	}
	if ids := a.list(url.Values{"sku": {sku}}); len(ids) != 1 {
		a.Errorf("there are %d orders", len(ids))
	}
	a.wantStock(sku, 100, 1)
}

func rejectionIsRepeated(a *api) {
	sku, key := a.stocked(100, 0), rand.Text()
	body := card("tok_approved", line{sku, 1})
	first := a.place(body, "Idempotency-Key", key).want(http.StatusConflict)
	a.adjust(sku, 5).want(http.StatusCreated)
	if again := a.place(body, "Idempotency-Key", key).want(http.StatusConflict); string(again.body) != string(first.body) {
		a.Errorf("repeated it is %s, was %s", again.body, first.body)
	}
	a.wantStock(sku, 5, 0)
}

func keyBelongsToBody(a *api) {
	sku, key := a.stocked(100, 5), rand.Text()
	first := a.place(card("tok_approved", line{sku, 1}), "Idempotency-Key", key).want(http.StatusCreated)
	if p := a.place(card("tok_approved", line{sku, 2}), "Idempotency-Key", key).want(http.StatusUnprocessableEntity).problem(); p.Code != "idempotency_key_reused" || len(p.Errors) != 1 || p.Errors[0].Field != "header.Idempotency-Key" {
		a.Errorf("the problem is %+v", p)
	}
	// The same order, written in another way.
	same := fmt.Sprintf(`{ "payment":{"token":"tok_approved","method":"card"}, "items":[{"quantity":1,"sku":%q}],`+
		` "customer":{"email":"ana@example.com","name":"Ana Souza"} }`, sku)
	if again := a.place(same, "Idempotency-Key", key).want(http.StatusCreated); string(again.body) != string(first.body) {
		a.Errorf("repeated it is %s, was %s", again.body, first.body)
	}
	a.wantStock(sku, 5, 1)
}

func keyBelongsToCaller(a *api) {
	sku, key := a.stocked(100, 5), rand.Text()
	body := card("tok_approved", line{sku, 1})
	mine := a.place(body, "Idempotency-Key", key).want(http.StatusCreated).order()
	theirs := a.as("orders:write").place(body, "Idempotency-Key", key, "X-Veloz-Caller", a.system.ids[admin]).want(http.StatusCreated).order()
	if mine.ID == theirs.ID {
		a.Error("a key's holder got another's order by naming itself in X-Veloz-Caller")
	}
}

func keyIsRequired(a *api) {
	sku := a.stocked(100, 5)
	p := a.send(http.MethodPost, "/v1/orders", card("tok_approved", line{sku, 1})).want(http.StatusBadRequest).problem()
	if p.Code != "idempotency_key_required" || len(p.Errors) != 1 || p.Errors[0].Field != "header.Idempotency-Key" {
		a.Errorf("the problem is %+v", p)
	}
	a.wantStock(sku, 5, 0)
}

// outcome is what became of an order: its status, or why it was rejected.
func (a *api) outcome(id string) (outcome string) {
	a.Helper()
	a.eventually(openLimit, "order "+id+" is decided", func() bool {
		o := a.order(id)
		outcome = cmp.Or(o.Reason, o.Status)
		return !open(o)
	})
	return outcome
}

func oneUnit(a *api) {
	const buyers = 1000
	a.system.client = newClient(buyers) // a connection each: they all stand at the door at once
	a.system.client.Timeout = 4 * time.Minute
	sku := a.stocked(100, 1)
	body := card("tok_approved", line{sku, 1})
	answers := make([]response, buyers)
	var bought sync.WaitGroup
	for i := range answers {
		bought.Go(func() {
			answer, err := a.patiently(a.Context(), request{http.MethodPost, "/v1/orders", body, []string{"Idempotency-Key", rand.Text()}})
			if err != nil {
				a.Error(err)
			}
			answers[i] = answer
		})
	}
	bought.Wait()
	if a.Failed() {
		return // some have no answer
	}
	count := map[string]int{}
	for _, answer := range answers {
		switch answer.want(http.StatusCreated, http.StatusAccepted, http.StatusConflict).status {
		case http.StatusCreated:
			count[answer.order().Status]++
		case http.StatusAccepted: // a busy machine: the buyer was told to look again
			count[a.outcome(answer.order().ID)]++
		case http.StatusConflict:
			count[answer.problem().Code]++
		}
	}
	if count["confirmed"] != 1 || count["out_of_stock"] != buyers-1 {
		a.Errorf("the answers are %v, want 1 confirmed and %d out_of_stock", count, buyers-1)
	}
	a.wantStock(sku, 1, 1)
	if ids := a.list(url.Values{"sku": {sku}, "status": {"confirmed"}, "limit": {"100"}}); len(ids) != 1 {
		a.Errorf("%d orders are confirmed", len(ids))
	}
}
