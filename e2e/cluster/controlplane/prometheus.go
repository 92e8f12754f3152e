package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/cluster/kube"
	"github.com/infra-arch/zmy-scaler/e2e/internal/numbers"
	"github.com/infra-arch/zmy-scaler/e2e/internal/proc"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// prometheus is a Prometheus with its exporter.
type prometheus struct {
	*numbers.Numbers
	c        *Cluster
	name     string // of it and of its namespace, as files have it
	host     string
	address  string
	exporter *http.Server
	process  *proc.Process
}

// Prometheus starts a Prometheus with numbers of its own.
func (c *Cluster) Prometheus(ctx context.Context, namespace, name string) (cluster.Prometheus, error) {
	p := &prometheus{Numbers: numbers.New(), c: c, name: name + "-" + namespace, host: name + "." + namespace, address: c.o.Net.Address()}
	listener, err := net.Listen("tcp", c.o.Net.Address()+":9100")
	if err != nil {
		return nil, err
	}
	p.exporter = &http.Server{Handler: p.Numbers, ReadHeaderTimeout: time.Minute}
	go func() { _ = p.exporter.Serve(listener) }() // until it is closed
	if err := os.MkdirAll(p.dir(), 0o755); err != nil {
		return nil, err
	}
	config := cluster.Scrapes(listener.Addr().String())
	if err := os.WriteFile(p.dir()+"/prometheus.yml", []byte(config), 0o644); err != nil {
		return nil, err
	}
	if err := c.o.Net.Name(p.host, p.address); err != nil {
		return nil, err
	}
	if err := p.Start(ctx); err != nil {
		return nil, errors.Join(err, p.Close(context.WithoutCancel(ctx)))
	}
	return p, nil
}

func (p *prometheus) dir() string { return p.c.Path("prometheus-" + p.name) }

// URL is where the scaler reaches it.
func (p *prometheus) URL() string { return "http://" + p.host + ":9090" }

// Start runs it.
func (p *prometheus) Start(ctx context.Context) error {
	process, err := p.c.run("prometheus-"+p.name, p.c.o.Tools[tools.Prometheus], nil,
		"--config.file="+p.dir()+"/prometheus.yml", "--storage.tsdb.path="+p.dir()+"/data",
		"--web.listen-address="+p.address+":9090", "--log.level=warn")
	if err != nil {
		return err
	}
	p.process = process
	return kube.Up(ctx, process, "Prometheus", kube.Answers("http://"+p.address+":9090/-/ready"))
}

// Stop ends it in order.
func (p *prometheus) Stop(ctx context.Context) error { return p.process.Stop(ctx) }

// Requests returns how many queries it has answered since it was started.
func (p *prometheus) Requests(ctx context.Context) (float64, error) {
	text, err := fetch(ctx, "http://"+p.address+":9090/metrics")
	if err != nil {
		return 0, err
	}
	return cluster.Queries(text)
}

// Close ends it and removes its data.
func (p *prometheus) Close(context.Context) error {
	errs := []error{p.exporter.Close()}
	if p.process != nil {
		errs = append(errs, p.process.Kill())
	}
	return errors.Join(append(errs, os.RemoveAll(p.dir()))...)
}

// fetch returns what a URL answers.
func fetch(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, response.Status)
	}
	return string(text), err
}
