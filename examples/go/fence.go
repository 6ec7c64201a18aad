// Package fencing is a small fencer over Redfish. Replace it by yours: the test is what this example is about.
package fencing

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// BMC says where a BMC is and who may log in. bmc-emulator prints it when it is ready.
type BMC struct {
	Name     string
	URL      string `json:"redfish_url"`
	System   string `json:"system_uri"`
	Username string
	Password string
}

var client = &http.Client{Timeout: 5 * time.Second}

// Off returns nil when the BMC has said Off twice, one second apart. What it answers to the command decides nothing.
func Off(bmc BMC) error {
	if confirmed(bmc) {
		return nil
	}
	_, answer := call(bmc, "POST", bmc.System+"/Actions/ComputerSystem.Reset", `{"ResetType": "ForceOff"}`)
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		if confirmed(bmc) {
			return nil
		}
	}
	return fmt.Errorf("timeout: the BMC does not say Off; its answer to ForceOff was %v", answer)
}

func confirmed(bmc BMC) bool {
	for n := 0; n < 2; n++ {
		if state, err := call(bmc, "GET", bmc.System, ""); err != nil || state != "Off" {
			return false
		}
		if n == 0 {
			time.Sleep(time.Second)
		}
	}
	return true
}

// call returns the PowerState in the answer, or an error with the HTTP status.
func call(bmc BMC, method, path, body string) (string, error) {
	request, err := http.NewRequest(method, bmc.URL+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.SetBasicAuth(bmc.Username, bmc.Password)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return "", fmt.Errorf("HTTP %d", response.StatusCode)
	}
	var system struct{ PowerState string }
	if response.StatusCode != http.StatusNoContent {
		err = json.NewDecoder(response.Body).Decode(&system)
	}
	return system.PowerState, err
}
