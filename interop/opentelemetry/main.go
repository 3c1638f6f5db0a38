// Command interop has OpenTelemetry's detector for EC2 read the emulated service, and prints one `ASPECT VALUE` line
// for each thing read.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime/debug"

	"go.opentelemetry.io/contrib/detectors/aws/ec2/v2"
	"go.opentelemetry.io/otel/sdk/resource"
)

const module = "go.opentelemetry.io/contrib/detectors/aws/ec2/v2"

func main() {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			fmt.Println("version OpenTelemetry, Go detectors/aws/ec2", dependency.Version)
		}
	}
	found := detect()
	value := func(key string) string {
		for _, attribute := range found.Attributes() {
			if string(attribute.Key) == key {
				return attribute.Value.Emit()
			}
		}
		return "missing"
	}
	fmt.Println("region", value("cloud.region"))
	fmt.Println("credentials - -")
	fmt.Println("identity", value("host.id"), value("cloud.account.id"))
	fmt.Println("user-data -")
	fmt.Println("host", value("host.name"), value("host.type"), value("host.image.id"), value("cloud.availability_zone"))
	expire := exec.Command("sh", "-c", os.Getenv("INTEROP_EXPIRE"))
	expire.Stderr = os.Stderr
	if err := expire.Run(); err != nil {
		log.Fatal(err)
	}
	found = detect()
	fmt.Println("after-expiry", value("cloud.region"), "-")
}

func detect() *resource.Resource {
	found, err := ec2.NewResourceDetector().Detect(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	return found
}
