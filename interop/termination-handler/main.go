// Command interop has the metadata package of the AWS Node Termination Handler read the emulated service, and prints
// one `ASPECT VALUE` line for each thing read.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"

	"github.com/aws/aws-node-termination-handler/pkg/ec2metadata"
)

const module = "github.com/aws/aws-node-termination-handler"

func main() {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			fmt.Println("version AWS Node Termination Handler, ec2metadata", dependency.Version)
		}
	}
	// Its option `--metadata-url`, which knows no environment variable of the SDKs.
	url := strings.TrimSuffix(os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"), "/")
	if url == "" {
		url = "http://169.254.169.254"
	}
	service := ec2metadata.New(url, 1)
	node := service.GetNodeMetadata()
	fmt.Println("region", node.Region)
	fmt.Println("credentials - -")
	fmt.Println("identity", node.InstanceID, node.AccountId)
	fmt.Println("user-data -")
	fmt.Println("node", node.InstanceType, node.InstanceLifeCycle, node.LocalIP, node.LocalHostname, node.AvailabilityZone)
	action, err := service.GetSpotITNEvent()
	check(err)
	fmt.Println("spot-action", action.Action)
	rebalance, err := service.GetRebalanceRecommendationEvent()
	check(err)
	fmt.Println("rebalance", rebalance.NoticeTime != "")
	events, err := service.GetScheduledMaintenanceEvents()
	check(err)
	for _, event := range events {
		fmt.Println("maintenance", event.Code, event.State, event.EventID)
	}
	state, err := service.GetASGTargetLifecycleState()
	check(err)
	fmt.Println("target-lifecycle-state", state)

	expire := exec.Command("sh", "-c", os.Getenv("INTEROP_EXPIRE"))
	expire.Stderr = os.Stderr
	check(expire.Run())
	fmt.Println("after-expiry", ec2metadata.New(url, 1).GetNodeMetadata().Region, "-")
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
