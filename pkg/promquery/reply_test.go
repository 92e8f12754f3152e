package promquery

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
)

// FuzzValue holds the quick reading against a plain one of the JSON.
func FuzzValue(f *testing.F) {
	for _, s := range []string{`[1,"2"]`, ` [ -1.5e3 , "NaN" ] `, `[1]`, `[1,"2","3"]`, `["1","2"]`, `[1,2]`, `null`, `{"a":"b"}`, `[[1],"2"]`, `[1,"a\"b"]`, `[1,null]`, `"1,2"`, `[1,["2"]]`, `[]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var pair []json.RawMessage
		var at model.Time
		var number string
		var v float64
		want := json.Unmarshal([]byte(text), &pair) == nil && len(pair) == 2 &&
			at.UnmarshalJSON(pair[0]) == nil && json.Unmarshal(pair[1], &number) == nil && pair[1][0] == '"'
		if want {
			var err error
			v, err = strconv.ParseFloat(number, 64)
			want = err == nil
		}
		var got value
		err := json.Unmarshal([]byte(text), &got)
		// The quick reading may refuse a string with escapes: no number needs any.
		switch {
		case err == nil && !want:
			t.Errorf("%s passed as a sample", text)
		case err != nil && want && !strings.Contains(text, `\`):
			t.Errorf("%s was refused: %v", text, err)
		case err == nil && (got.at != at || got.v != v && !math.IsNaN(v)):
			t.Errorf("%s was read as %v at %v", text, got.v, got.at)
		}
	})
}
