package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// The parts of SPDX 2.3 that an SBOM of a Go binary needs.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		License       string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace"`
		Creation      spdxCreation       `json:"creationInfo"`
		Packages      []spdxPackage      `json:"packages"`
		Relationships []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		ID        string         `json:"SPDXID"`
		Name      string         `json:"name"`
		Version   string         `json:"versionInfo,omitempty"`
		Location  string         `json:"downloadLocation"`
		Analyzed  bool           `json:"filesAnalyzed"`
		Purpose   string         `json:"primaryPackagePurpose,omitempty"`
		Checksums []spdxChecksum `json:"checksums,omitempty"`
		Concluded string         `json:"licenseConcluded"`
		Declared  string         `json:"licenseDeclared"`
		Copyright string         `json:"copyrightText"`
		Refs      []spdxRef      `json:"externalRefs,omitempty"`
	}
	spdxChecksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	spdxRef struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxRelationship struct {
		Element string `json:"spdxElementId"`
		Type    string `json:"relationshipType"`
		Related string `json:"relatedSpdxElement"`
	}
)

const noAssertion = "NOASSERTION"

// sbom returns what is in an image, as SPDX 2.3: the modules that Go recorded in
// the binary, Go's own library, and the module that the CA certificates are from.
func sbom(o options, b binary) ([]byte, error) {
	sum := sha256.Sum256(b.content)
	hash := hex.EncodeToString(sum[:])
	scaler := newPackage("scaler", b.info.Main.Path, o.version)
	scaler.Purpose, scaler.Declared = "APPLICATION", "Apache-2.0"
	scaler.Checksums = []spdxChecksum{{"SHA256", hash}}
	doc := spdxDocument{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: "SPDXRef-DOCUMENT",
		Name:          fmt.Sprintf("zmy-scaler %s %s", o.version, b.platform),
		Namespace:     "https://github.com/infra-arch/zmy-scaler/sbom/" + hash,
		Creation:      spdxCreation{o.created.Format(time.RFC3339), []string{"Tool: zmy-scaler-image"}},
		Packages:      []spdxPackage{scaler},
		Relationships: []spdxRelationship{{"SPDXRef-DOCUMENT", "DESCRIBES", scaler.ID}},
	}
	add := func(p spdxPackage, relation string) {
		doc.Packages = append(doc.Packages, p)
		doc.Relationships = append(doc.Relationships, spdxRelationship{scaler.ID, relation, p.ID})
	}
	add(newPackage("stdlib", "stdlib", strings.TrimPrefix(b.info.GoVersion, "go")), "DEPENDS_ON")
	for i, m := range b.info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		add(newPackage(fmt.Sprintf("module-%d", i+1), m.Path, m.Version), "DEPENDS_ON")
	}
	if self, ok := debug.ReadBuildInfo(); ok {
		for _, m := range self.Deps {
			if m.Path == "golang.org/x/crypto/x509roots/fallback" {
				add(newPackage("ca-certificates", m.Path, m.Version), "CONTAINS")
			}
		}
	}
	out, err := json.MarshalIndent(doc, "", " ")
	return append(out, '\n'), err
}

func newPackage(id, path, version string) spdxPackage {
	return spdxPackage{
		ID: "SPDXRef-" + id, Name: path, Version: version, Location: noAssertion,
		Concluded: noAssertion, Declared: noAssertion, Copyright: noAssertion,
		Refs: []spdxRef{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + path + "@" + version}},
	}
}

// writeSBOMs writes one file for each platform.
func writeSBOMs(o options) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	for _, b := range o.binaries {
		content, err := sbom(o, b)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s-%s.spdx.json", b.platform.OS, b.platform.Architecture)
		if err := os.WriteFile(filepath.Join(o.out, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
