package lint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/internal/simulate"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// Options say what the scaler that the manifests are for is like.
type Options struct {
	// Server is what triggers are parsed for.
	Server trigger.Server
	// NoKubernetes tells that the scaler does not read Kubernetes.
	NoKubernetes bool
	// Skip holds the ids of rules that are not looked for.
	Skip []string
	// Source is asked for the queries, as of Now; nil asks nobody.
	Source promquery.Querier
	Now    time.Time
}

// object is a ScaledObject that is looked at.
type object struct {
	*manifest.ScaledObject
	options Options
	ours    []*subject
	// replay runs a loop, as long as anybody waits for the report.
	replay func(simulate.Loop, simulate.Controller, simulate.Watcher) error
}

// subject is a trigger of this scaler.
type subject struct {
	*manifest.Trigger
	of *object
	// trigger is nil where the metadata is broken; faults then says how.
	trigger *trigger.Trigger
	faults  trigger.Faults
}

// linter collects findings.
type linter struct {
	options Options
	rules   []Rule
	report  Report
}

// Check looks at all ScaledObjects in the files. The error is that of the source,
// when it cannot be asked, or of the context; the report is good as far as it goes.
func Check(ctx context.Context, files []*manifest.File, o Options) (Report, error) {
	l := &linter{options: o, rules: slices.DeleteFunc(Rules(), func(r Rule) bool { return slices.Contains(o.Skip, r.ID) })}
	var errs []error
	for _, f := range files {
		findings, notes := len(l.report.Findings), len(l.report.Notes)
		errs = append(errs, l.file(ctx, f))
		l.report.sortFrom(findings, notes)
	}
	err := errors.Join(append(errs, ctx.Err())...)
	l.report.Incomplete = err != nil
	return l.report, err
}

func (l *linter) file(ctx context.Context, f *manifest.File) error {
	l.report.Files++
	for _, s := range f.Skipped {
		l.report.Notes = append(l.report.Notes, Note{Position: s.Position, Text: "skipped: " + s.Problem})
	}
	for _, b := range f.Broken {
		l.add(idManifest, "", b.Position, b.Problem)
	}
	var errs []error
	for _, so := range f.Objects {
		if o := newObject(ctx, so, l.options); len(o.ours) > 0 {
			l.object(o)
			errs = append(errs, l.ask(ctx, o))
		}
	}
	return errors.Join(errs...)
}

func newObject(ctx context.Context, so *manifest.ScaledObject, options Options) *object {
	o := &object{ScaledObject: so, options: options}
	o.replay = func(l simulate.Loop, c simulate.Controller, w simulate.Watcher) error {
		_, err := simulate.Run(ctx, l, c, w)
		return err
	}
	for i := range so.Triggers {
		t := &so.Triggers[i]
		if !ours(t) {
			continue
		}
		s := &subject{Trigger: t, of: o}
		parsed, err := trigger.ParseManifest(t.Metadata, options.Server)
		if s.trigger = parsed; err != nil {
			errors.As(err, &s.faults)
		}
		o.ours = append(o.ours, s)
	}
	return o
}

// ours reports whether a trigger is for this scaler rather than another external
// one: by its keys, or by the name in its address.
func ours(t *manifest.Trigger) bool {
	if !t.External() {
		return false
	}
	for key := range t.Metadata {
		if strings.HasPrefix(strings.ToLower(key), "zmy") {
			return true
		}
	}
	return strings.Contains(t.Metadata["scalerAddress"], "zmy-scaler")
}

// object runs all checks on a ScaledObject.
func (l *linter) object(o *object) {
	l.report.Objects++
	l.report.Triggers += len(o.ours)
	for _, f := range o.Faults {
		l.add(idManifest, o.id(), f.Position, f.Problem)
	}
	for _, r := range l.rules {
		if r.object != nil {
			r.object(o, l.say(r, o, o.Where))
		}
		for _, s := range o.ours {
			switch {
			case r.written != nil:
				r.written(s, l.say(r, o, s.Where))
			case r.parsed != nil && s.trigger != nil:
				r.parsed(s, l.say(r, o, s.Where))
			}
		}
	}
	l.notes(o)
}

// notes tells what could not be looked at, and how long an idle fleet takes to zero.
func (l *linter) notes(o *object) {
	for _, s := range o.ours {
		if s.trigger == nil {
			continue
		}
		if unknown := s.trigger.FromEnv; len(unknown) > 0 {
			l.note(s.Where("metadata."+unknown[0]+"FromEnv"), "not checked, since its value comes from the environment of the workers: "+strings.Join(unknown, ", "))
		}
		if d, ok := s.timeToZero(); ok && !d.unwritten() {
			l.note(s.Where(""), o.id()+": "+d.String())
		}
	}
}

func (l *linter) note(at manifest.Position, text string) {
	l.report.Notes = append(l.report.Notes, Note{Position: at, Text: text})
}

// say returns how a rule reports: at a path below what it looks at, or, with a
// leading slash, of the whole object.
func (l *linter) say(r Rule, o *object, where func(string) manifest.Position) say {
	return func(path, format string, args ...any) {
		at := where(path)
		if of, ok := strings.CutPrefix(path, "/"); ok {
			at = o.Where(of)
		}
		l.add(r.ID, o.id(), at, fmt.Sprintf(format, args...))
	}
}

// add reports a finding, unless its rule is not looked for.
func (l *linter) add(id, object string, at manifest.Position, reason string) {
	for _, r := range l.rules {
		if r.ID == id {
			l.report.Findings = append(l.report.Findings, Finding{
				ID: id, Severity: r.Severity, Position: at, Object: object, Reason: reason, Fix: r.Fix,
			})
		}
	}
}

// id returns the namespace and name.
func (o *object) id() string { return strings.TrimPrefix(o.Namespace+"/"+o.Name, "/") }

// sleeps reports whether KEDA takes the fleet to zero.
func (o *object) sleeps() bool {
	return o.MinReplicas == 0 || o.IdleReplicas != nil && *o.IdleReplicas == 0
}

// given reports whether the metadata has a key, in either of its forms.
func (s *subject) given(key string) bool {
	_, plain := s.Metadata[key]
	_, env := s.Metadata[key+"FromEnv"]
	return plain || env
}

// unknown reports whether the value of any of the keys comes from the environment.
func (s *subject) unknown(keys ...string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return slices.Contains(s.trigger.FromEnv, k) })
}

// shadow reports whether the trigger moves nothing.
func (s *subject) shadow() bool { return s.Metadata["mode"] == "shadow" }

// deciders returns the other triggers of the object that have a say.
func (s *subject) deciders() []*manifest.Trigger {
	var all []*manifest.Trigger
	for i := range s.of.Triggers {
		t := &s.of.Triggers[i]
		if t != s.Trigger && !(ours(t) && t.Metadata["mode"] == "shadow") {
			all = append(all, t)
		}
	}
	return all
}

// decides reports whether the trigger alone says how large the fleet is, so that
// the HPA's behavior can be made for it.
func (s *subject) decides() bool { return !s.shadow() && len(s.deciders()) == 0 }
