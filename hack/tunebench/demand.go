package main

import (
	"compress/gzip"
	"embed"
	"math"
	"math/rand/v2"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/backtest"
	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

//go:embed testdata/*.gz
var recorded embed.FS

// demands are the recorded ones, and curves that nothing was fitted to.
func demands() ([]demand, error) {
	var all []demand
	for _, r := range []struct {
		name, file string
		perWorker  float64
	}{{"World Cup", "worldcup98.csv.gz", 1000}, {"AWS", "aws-elb.csv.gz", 20}} {
		d, err := read(r.file, r.perWorker)
		if err != nil {
			return nil, err
		}
		all = append(all, demand{r.name, d})
	}
	return append(all, curves()...), nil
}

func read(name string, perWorker float64) (simulate.Demand, error) {
	file, err := recorded.Open("testdata/" + name)
	if err != nil {
		return simulate.Demand{}, err
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		return simulate.Demand{}, err
	}
	return backtest.ReadDemand(text, perWorker)
}

// curves are four days each, by the minute.
func curves() []demand {
	const minutes = 4 * 24 * 60
	hour := func(m int) float64 { return float64(m%1440) / 60 }
	shapes := []struct {
		name  string
		shape func(m int, rng *rand.Rand) float64
	}{
		{"days and nights", func(m int, rng *rand.Rand) float64 {
			return (10 + 8*math.Sin(2*math.Pi*(hour(m)-8)/24)) * (1 + 0.05*rng.NormFloat64())
		}},
		{"office hours", func(m int, rng *rand.Rand) float64 {
			if h := hour(m); h < 8 || h >= 18 {
				return 2 + 0.2*rng.NormFloat64()
			}
			return 20 + rng.NormFloat64()
		}},
		{"a saw", func(m int, _ *rand.Rand) float64 { return 4 + float64(m%240)/12 }},
		{"ramps", func(m int, _ *rand.Rand) float64 { return 3 + 15*math.Abs(float64(m%600)-300)/300 }},
		{"noise", func(_ int, rng *rand.Rand) float64 { return 12 * (1 + 0.3*rng.NormFloat64()) }},
		{"bursts", func(m int, rng *rand.Rand) float64 {
			if m%97 < 9 {
				return 15 + 0.3*rng.NormFloat64()
			}
			return 5 + 0.3*rng.NormFloat64()
		}},
	}
	var all []demand
	for _, s := range shapes {
		rng := rand.New(rand.NewPCG(5, 5)) // repeatable, hence not crypto/rand
		d := simulate.Demand{Start: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Step: time.Minute, Busy: make([]float64, minutes)}
		for i := range d.Busy {
			d.Busy[i] = max(0, s.shape(i, rng))
		}
		all = append(all, demand{s.name, d})
	}
	return all
}
