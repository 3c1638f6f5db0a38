// Command interop reads the emulated service with the AWS SDK for Go v2 and prints one `ASPECT VALUE` line for each
// thing read.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"runtime/debug"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

const module = "github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

func main() {
	ctx := context.Background()
	fmt.Println("version", "AWS SDK for Go v2, feature/ec2/imds", version())

	// The default chain ends at the instance's role.
	loaded, err := config.LoadDefaultConfig(ctx)
	check(err)
	client := imds.NewFromConfig(loaded)
	// Not by config.WithEC2IMDSRegion, whose own client has no options and so misses the endpoint mode.
	region, err := client.GetRegion(ctx, nil)
	check(err)
	fmt.Println("region", region.Region)
	credentials, err := loaded.Credentials.Retrieve(ctx)
	check(err)
	fmt.Println("credentials", credentials.Source, credentials.AccessKeyID)

	document, err := client.GetInstanceIdentityDocument(ctx, nil)
	check(err)
	fmt.Println("identity", document.InstanceID, document.AccountID)
	data, err := client.GetUserData(ctx, nil)
	check(err)
	text, err := json.Marshal(string(read(data.Content)))
	check(err)
	fmt.Println("user-data", string(text))

	expire := exec.Command("sh", "-c", os.Getenv("INTEROP_EXPIRE"))
	expire.Stderr = os.Stderr
	check(expire.Run())
	// The same client, whose session token the service now refuses.
	region, err = client.GetRegion(ctx, nil)
	check(err)
	provider := ec2rolecreds.New(func(options *ec2rolecreds.Options) { options.Client = client })
	fresh, err := provider.Retrieve(ctx)
	check(err)
	fmt.Println("after-expiry", region.Region, fresh.AccessKeyID)
}

func read(content io.ReadCloser) []byte {
	defer content.Close()
	bytes, err := io.ReadAll(content)
	check(err)
	return bytes
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "unknown"
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
