package isolate

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Hand leaves what was made ready in the directory of a run, for the binary that
// runs inside; [Take] finds it there.
func Hand(dir string, parts any) error {
	text, err := json.Marshal(parts)
	if err != nil {
		return err
	}
	return os.WriteFile(partsFile(dir), text, 0o644)
}

// Take reads what was made ready.
func Take(dir string, parts any) error {
	text, err := os.ReadFile(partsFile(dir))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, parts)
}

func partsFile(dir string) string { return filepath.Join(dir, "parts.json") }
