package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

const kedaModule = "github.com/kedacore/keda/v2"

func newVersion(env environment) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, commit, Go and KEDA API version",
		Args:  usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(env.out, "scaler %s\ncommit %s\ngo %s %s/%s\nkeda api %s\n",
				version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH, kedaVersion())
			return err
		},
	}
}

// kedaVersion returns the version of KEDA whose protocol is compiled in.
func kedaVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == kedaModule {
			return m.Version
		}
	}
	return "unknown"
}
