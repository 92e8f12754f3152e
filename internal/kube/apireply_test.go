package kube

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// scaleOf is the scale subresource of an object. Like the real one it leaves out
// a spec of 0 replicas.
func scaleOf(o object) object {
	spec, _ := o["spec"].(object)
	status, _ := o["status"].(object)
	out := object{}
	if n := fmt.Sprint(cmp.Or(spec["replicas"], any(0))); n != "0" {
		out["replicas"] = spec["replicas"]
	}
	return object{
		"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": o["metadata"],
		"spec": out, "status": status,
	}
}

func fail(w http.ResponseWriter, code int) {
	reasons := map[int]metav1.StatusReason{
		http.StatusForbidden: metav1.StatusReasonForbidden, http.StatusNotFound: metav1.StatusReasonNotFound,
		http.StatusGone: metav1.StatusReasonExpired, http.StatusInternalServerError: metav1.StatusReasonInternalError,
	}
	reply(w, code, status(code, reasons[code]))
}

func status(code int, reason metav1.StatusReason) object {
	return object{
		"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Failure",
		"code": code, "reason": string(reason), "message": string(reason),
	}
}

func reply(w http.ResponseWriter, code int, o object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(o)
}

// clone copies an object, and makes its numbers those of JSON.
func clone(o object) object {
	data, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	var out object
	if err := json.Unmarshal(data, &out); err != nil {
		panic(err)
	}
	return out
}
