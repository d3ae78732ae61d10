package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/agentjobs/jobs"
)

const (
	requestTimeout  = 2 * time.Second
	silenceTimeout  = 5 * time.Second // a stream without an event for this long is broken
	shutdownTimeout = 5 * time.Second
)

// What the gateway sends.
type (
	version     struct{ Major, Minor int }
	credentials struct{ Token string }
	event       struct{ API string }
)

// A client talks to the gateway.
type client struct {
	gateway string
	http    *http.Client
	token   atomic.Value // of string; set by the sign-on
}

func newClient(gateway string) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = requestTimeout
	return &client{gateway: gateway, http: &http.Client{Transport: transport}}
}

// alive returns an error if the gateway does not answer.
func (c *client) alive(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/version", new(version))
}

// usable returns an error if the agent has not signed on, or the gateway does not answer.
func (c *client) usable(ctx context.Context) error {
	if c.token.Load() == nil {
		return errors.New("not signed on yet")
	}
	return c.alive(ctx)
}

// call makes a request, and decodes the answer if one is wanted.
func (c *client) call(ctx context.Context, method, path string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	resp, err := c.do(ctx, method, path)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

var errSilent = errors.New("no event for too long")

// stream calls each for every event of a stream. It returns when ctx ends or the stream breaks.
func (c *client) stream(ctx context.Context, path string, each func(event)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(silenceTimeout, func() { cancel(errSilent) })
	defer silence.Stop()
	resp, err := c.do(ctx, http.MethodGet, path)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	for in := json.NewDecoder(resp.Body); ; {
		var e event
		if err := in.Decode(&e); ctx.Err() != nil {
			return fmt.Errorf("GET %s: stream ended: %w", path, context.Cause(ctx))
		} else if err != nil {
			return fmt.Errorf("GET %s: stream broke: %w", path, err)
		}
		silence.Reset(silenceTimeout)
		each(e)
	}
}

// do makes a request. An answer of 4xx does not get better by asking again: that error is Permanent.
func (c *client) do(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.gateway+path, nil)
	if err != nil {
		return nil, err
	}
	if token, ok := c.token.Load().(string); ok {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.http.Do(req)
	if err != nil || resp.StatusCode < 300 {
		return resp, err
	}
	_ = resp.Body.Close()
	err = fmt.Errorf("%s %s: %s", method, path, resp.Status)
	if resp.StatusCode < 500 {
		err = jobs.Permanent(err)
	}
	return nil, err
}
