package engine

import (
	"time"

	"github.com/infra-arch/zmy-scaler/internal/kube"
)

// unseen knows when the HPA last scaled a fleet before its workers were counted. That
// is known of each trigger: one that was edited is a new one, and counts anew.
type unseen struct {
	uid string // of the ScaledObject: one that is made anew starts afresh
	// since is the first look, looked tells that it is over, settled that an HPA was
	// seen.
	since           time.Time
	looked, settled bool
	scale           time.Time
}

// look takes in what Kubernetes knows when the workers are counted, and returns the
// scale. What the first look finds counts, by whatever clock; an HPA that comes into
// sight later can only tell of what it did before.
func (u *unseen) look(v kube.View, now time.Time) time.Time {
	if v.UID == "" || !v.Fleet.Ready.Known {
		return u.scale
	}
	if v.UID != u.uid {
		*u = unseen{uid: v.UID, since: now}
	}
	if v.HPA != "" && !u.settled {
		u.settled = true
		if !u.looked || v.LastScale.Before(u.since) {
			u.scale = v.LastScale
		}
	}
	u.looked = true
	return u.scale
}
