package promquery_test

import (
	"fmt"
	"math/rand/v2"
)

// author writes random PromQL that parses, over what [newTenants] stores.
type author struct {
	rng *rand.Rand
	// foreign tells that the query names another tenant.
	foreign bool
}

func (a *author) one(of ...string) string { return of[a.rng.IntN(len(of))] }

// selector writes an instant selector.
func (a *author) selector() string {
	name := a.one("x{", "y{", "x{", "y{", `{"my.metric",`, `{__name__=~"x|y",`, `{__name__!="",`)
	job := a.one("", "", `job="a",`, `job="c",`, `job="none",`, `job!="b",`, `job=~"a|c",`, `job!~"a",`, `"pod"=~".*a",`)
	tenant := a.one("", "", "", "", "", `namespace="shop"`, `namespace=~"shop|bank"`, `namespace!="bank"`, `namespace!~"b.*"`, `namespace!=""`)
	if a.rng.IntN(40) == 0 {
		tenant = a.one(`namespace="bank"`, `namespace=~"bank|b.*"`, `namespace!="shop"`, `namespace!~"s.*"`, `namespace=""`)
		a.foreign = true
	}
	return name + job + tenant + "}"
}

func (a *author) moved(selector string) string {
	return selector + a.one("", "", "", " offset 1m", " @ 300", " @ 300 offset 30s")
}

// matrix writes a range vector.
func (a *author) matrix(depth int) string {
	if depth > 0 && a.rng.IntN(3) == 0 {
		return a.moved(fmt.Sprintf("(%s)[2m:30s]", a.vector(depth-1)))
	}
	return a.moved(a.selector() + "[2m]")
}

// vector writes an instant vector, nested no deeper than depth.
func (a *author) vector(depth int) string {
	if depth == 0 {
		return a.moved(a.selector())
	}
	sub := func() string { return a.vector(depth - 1) }
	switch a.rng.IntN(14) {
	case 0:
		return a.moved(a.selector())
	case 1:
		return fmt.Sprintf("%s(%s)", a.one("avg_over_time", "rate", "changes", "absent_over_time", "present_over_time", "last_over_time", "absent_over_time"), a.matrix(depth))
	case 2:
		return fmt.Sprintf("%s %s (%s)", a.one("sum", "avg", "count", "max", "group", "stddev"), a.one("", "by (namespace)", "by (job, namespace)", "without (pod)", "without (namespace)"), sub())
	case 3:
		return fmt.Sprintf("%s(scalar(%s), %s)", a.one("topk", "bottomk", "quantile"), sub(), sub())
	case 4:
		return fmt.Sprintf("(%s) %s %s (%s)", sub(), a.one("+", "-", "*", "/", "and", "or", "unless", "> bool", "=="), a.one("on (namespace)", "on ()", "on (job)", "ignoring (namespace)", ""), sub())
	case 5:
		return fmt.Sprintf("(%s) * on (namespace) group_left (job) (%s)", sub(), sub())
	case 6:
		return fmt.Sprintf(`label_replace(%s, "namespace", "%s", "job", "(.*)")`, sub(), a.one("bank", "shop", "$1", ""))
	case 7:
		return fmt.Sprintf(`label_join(%s, "namespace", "-", "job", "pod")`, sub())
	case 8:
		return fmt.Sprintf("%s(%s)", a.one("absent", "absent", "abs", "sort", "timestamp", "-"), sub())
	case 9:
		return fmt.Sprintf("absent(%s)", a.moved(a.selector()))
	case 10:
		return fmt.Sprintf("clamp_max(%s, scalar(%s))", sub(), sub())
	case 11:
		return fmt.Sprintf(`count_values by (job) ("namespace", %s)`, sub())
	case 12:
		return fmt.Sprintf("vector(scalar(%s)) + time()", sub())
	}
	return fmt.Sprintf("( # x{namespace=\"bank\"}\n%s)", sub())
}
