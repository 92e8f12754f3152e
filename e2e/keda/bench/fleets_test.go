package bench

import (
	"fmt"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
)

// namespace is where all fleets live.
const namespace = "shop"

// fleets are workers whose yields stay as they are.
type fleets struct {
	// n is how many fleets there are, pods how many workers each of them has.
	n, pods int
	// busy tells that their opposite is known, too.
	busy bool
}

func fleetName(i int) string { return fmt.Sprintf("fleet-%06d", i) }

// yield is that of all workers of a fleet, in the hold band.
func (fleets) yield(i int) float64 { return 0.35 + float64(i*37%500)/1000 }

// series calls a function with every series of a fleet.
func (f fleets) series(i int, one func(name, pod string, v float64)) {
	y := f.yield(i)
	for pod := range f.pods {
		one("zmy", fmt.Sprint(pod), y)
		if f.busy {
			one("busy", fmt.Sprint(pod), 1-y)
		}
	}
	one("workers", "", float64(f.pods))
}

// queries is what one trigger asks for.
type queries struct{ yield, workers string }

// alike are the queries of a trigger that differ from others' in the job only.
func alike(i int) queries {
	job := fleetName(i)
	return queries{
		yield:   fmt.Sprintf(`avg(avg_over_time(zmy{job=%q}[5m]))`, job),
		workers: fmt.Sprintf(`sum(workers{job=%q})`, job),
	}
}

// various are queries that no other of 1,000 triggers has the like of: one of ten
// forms, and one of a hundred ranges.
func various(i int) queries {
	job, span := fmt.Sprintf(`{job=%q}`, fleetName(i)), fmt.Sprintf("[%ds]", 61+i/10%100)
	over := func(f, name string) string { return f + "_over_time(" + name + job + span + ")" }
	forms := []queries{
		{"avg(" + over("avg", "zmy") + ")", "sum(" + over("last", "workers") + ")"},
		{"1 - avg(" + over("avg", "busy") + ")", "max(" + over("max", "workers") + ")"},
		{"min(" + over("min", "zmy") + ")", "count(" + over("count", "zmy") + ")"},
		{"max(" + over("last", "zmy") + ")", "sum(" + over("min", "workers") + ")"},
		{"clamp_max(avg(" + over("avg", "zmy") + "), 1)", "avg(" + over("avg", "workers") + ")"},
		{"sum(" + over("avg", "zmy") + ") / count(" + over("avg", "zmy") + ")", "max(" + over("avg", "workers") + ")"},
		{"quantile(0.5, " + over("avg", "zmy") + ")", "min(" + over("last", "workers") + ")"},
		{"avg(" + over("max", "zmy") + ") * 1", "count(" + over("avg", "busy") + ")"},
		{"avg(" + over("sum", "zmy") + ") / avg(" + over("count", "zmy") + ")", "avg(" + over("max", "workers") + ")"},
		{"1 - sum(" + over("avg", "busy") + ") / sum(workers" + job + ")", "count(" + over("max", "zmy") + ")"},
	}
	return forms[i%len(forms)]
}

// ref is what KEDA sends for a trigger.
func ref(name string, q queries) *pb.ScaledObjectRef {
	return &pb.ScaledObjectRef{Namespace: namespace, Name: name, ScalerMetadata: map[string]string{
		"scalerAddress": "zmy-scaler.zmy-system:6000", "zmyQuery": q.yield, "replicasQuery": q.workers,
	}}
}

func refs(n int, of func(int) queries) []*pb.ScaledObjectRef {
	all := make([]*pb.ScaledObjectRef, n)
	for i := range all {
		all[i] = ref(fleetName(i), of(i))
	}
	return all
}
