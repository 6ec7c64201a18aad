package fencing

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

func TestAHostThatIsClaimedOffIsOff(t *testing.T) {
	emulator := exec.Command("bmc-emulator", "run", "--profile", "dell-idrac9", "--plain-http", "--json", "--name", "go-test")
	output, _ := emulator.StdoutPipe()
	if err := emulator.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = emulator.Process.Signal(os.Interrupt); _ = emulator.Wait() }()
	var bmc BMC
	if err := json.NewDecoder(output).Decode(&bmc); err != nil { // the line that it prints when the BMC answers
		t.Fatal(err)
	}

	if err := Off(bmc); err != nil {
		t.Fatal(err)
	}

	var truth struct{ Systems []struct{ Rail string } }
	shown, _ := exec.Command("bmc-emulator", "show", bmc.Name, "--instance", "go-test", "--json").Output()
	if err := json.Unmarshal(shown, &truth); err != nil || truth.Systems[0].Rail != "down" {
		t.Fatalf("claimed off, and the truth is %s %v", shown, err)
	}
}
