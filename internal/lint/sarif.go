package lint

import (
	"io"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
)

// The parts of SARIF 2.1.0 that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifText    `json:"shortDescription"`
		FullDescription  sarifText    `json:"fullDescription"`
		Help             sarifText    `json:"help"`
		HelpURI          string       `json:"helpUri"`
		Default          sarifDefault `json:"defaultConfiguration"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool                `json:"executionSuccessful"`
		Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
)

const (
	sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"
	homepage    = "https://github.com/infra-arch/zmy-scaler"
	rulesPage   = homepage + "/blob/main/docs/reference/lint.md"
)

// WriteSARIF writes the report as SARIF 2.1.0, for code review. Version is that of
// the scaler; files below the directory dir are named relative to it, as code
// hosts expect.
func (r *Report) WriteSARIF(w io.Writer, version, dir string) error {
	rules := Rules()
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "scaler lint", Version: version, InformationURI: homepage}},
		Invocations: []sarifInvocation{{ExecutionSuccessful: !r.Incomplete}},
		ColumnKind:  "unicodeCodePoints",
		Results:     []sarifResult{},
	}
	for _, rule := range rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.ID, ShortDescription: sarifText{rule.Title}, FullDescription: sarifText{rule.Reason},
			Help: sarifText{rule.Reason + " " + rule.Fix}, HelpURI: rulesPage + "#" + rule.ID,
			Default: sarifDefault{level(rule.Severity)},
		})
	}
	for _, f := range r.Findings {
		result := sarifResult{
			RuleID: f.ID, RuleIndex: slices.IndexFunc(rules, func(rule Rule) bool { return rule.ID == f.ID }),
			Level: level(f.Severity), Message: sarifText{f.Reason + ". Fix: " + f.Fix},
			Locations: []sarifLocation{location(f.Position, dir)},
		}
		if f.Object != "" {
			result.Locations[0].Logical = []sarifLogical{{FullyQualifiedName: f.Object, Kind: "resource"}}
		}
		run.Results = append(run.Results, result)
	}
	for _, n := range r.Notes {
		run.Invocations[0].Notifications = append(run.Invocations[0].Notifications, sarifNotification{
			Level: "note", Message: sarifText{n.Text}, Locations: []sarifLocation{location(n.Position, dir)},
		})
	}
	return writeIndented(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

// level returns SARIF's word for a severity.
func level(s Severity) string {
	if s == Info {
		return "note"
	}
	return s.String()
}

func location(at manifest.Position, dir string) sarifLocation {
	name := filepath.Clean(at.File)
	if abs, err := filepath.Abs(name); err == nil && filepath.IsAbs(name) {
		if rel, err := filepath.Rel(dir, abs); err == nil && filepath.IsLocal(rel) {
			name = rel
		}
	}
	uri := url.URL{Path: filepath.ToSlash(name)}
	if filepath.IsAbs(name) {
		uri.Scheme = "file"
	}
	return sarifLocation{Physical: sarifPhysical{
		Artifact: sarifArtifact{uri.String()},
		Region:   sarifRegion{StartLine: at.Line, StartColumn: at.Column},
	}}
}
