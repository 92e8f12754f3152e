package loop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Backtest says how a demand is replayed.
type Backtest struct {
	// Scaler is the program, Dir where its input is written.
	Scaler, Dir string
	// Manifest is the ScaledObject.
	Manifest []byte
	// Step is the distance of two lines of the demand.
	Step time.Duration
	// StartDelay is how long a pod takes to become ready.
	StartDelay time.Duration
	// Interval and QueryOffset are the scaler's.
	Interval, QueryOffset time.Duration
}

// perWorker is what one worker does in a step. The amounts of the demand are of
// the same unit, so that any number does.
const perWorker = 100

// Run has the scaler replay a demand, and returns the changes.
func (b Backtest) Run(ctx context.Context, d Demand) ([]Change, error) {
	object, demand := filepath.Join(b.Dir, "scaledobject.json"), filepath.Join(b.Dir, "demand.csv")
	if err := errors.Join(
		os.WriteFile(object, b.Manifest, 0o644),
		os.WriteFile(demand, []byte(d.CSV(b.Step, perWorker)), 0o644)); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, b.Scaler, "backtest", object, "--demand="+demand, fmt.Sprintf("--per-worker=%d", perWorker),
		"--start-delay="+b.StartDelay.String(), "--interval="+b.Interval.String(), "--query-offset="+b.QueryOffset.String(), "-o=json").Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return nil, fmt.Errorf("backtest: %w\n%s", err, failed.Stderr)
	}
	if err != nil {
		return nil, err
	}
	var report struct{ Changes []Change }
	if err := json.Unmarshal(out, &report); err != nil {
		return nil, fmt.Errorf("the report of backtest: %w", err)
	}
	return report.Changes, nil
}
