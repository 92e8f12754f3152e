package promquery

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzStrictPair holds the quick check against a plain reading of the JSON.
func FuzzStrictPair(f *testing.F) {
	for _, s := range []string{`[1,"2"]`, ` [ -1.5e3 , "NaN" ] `, `[1]`, `[1,"2","3"]`, `["1","2"]`, `[1,2]`, `null`, `{"a":"b"}`, `[[1],"2"]`, `[1,"a\"b"]`, `[1,null]`, `"1,2"`, `[1,["2"]]`, `[]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var pair []json.RawMessage
		want := json.Unmarshal([]byte(text), &pair) == nil && len(pair) == 2
		if want {
			number := json.Unmarshal(pair[0], new(json.Number)) == nil && pair[0][0] != '"' && pair[0][0] != 'n'
			str := json.Unmarshal(pair[1], new(string)) == nil && pair[1][0] == '"'
			want = number && str
		}
		got := json.Unmarshal([]byte(text), new(strictPair)) == nil
		// The quick check may refuse a string with escapes: no number needs any.
		if got && !want {
			t.Errorf("%s passed as a sample", text)
		}
		if want && !got && !strings.Contains(text, `\`) {
			t.Errorf("%s was refused", text)
		}
	})
}
