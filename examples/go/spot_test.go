package spot

import (
	"os/exec"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// imds emulate --preset spot -- go test -C examples/go
func TestDrainsBeforeTheInterruption(t *testing.T) {
	var done []string
	work := func() {
		if done = append(done, "work"); len(done) == 3 {
			if err := exec.Command("imds", "emulator", "ctl", "event", "interrupt", "action=stop").Run(); err != nil {
				t.Fatal(err)
			}
		}
	}
	err := Run(imds.New(imds.Options{}), work, func(action string) { done = append(done, action) })
	if err != nil || !slices.Equal(done, []string{"work", "work", "work", "stop"}) {
		t.Fatal(done, err)
	}
}
