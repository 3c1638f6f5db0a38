// Command interop reads the emulated service with the AWS SDK for Go v1 and prints one `ASPECT VALUE` line for each
// thing read.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/ec2metadata"
	"github.com/aws/aws-sdk-go/aws/session"
)

func main() {
	fmt.Println("version AWS SDK for Go v1,", aws.SDKVersion)
	shared, err := session.NewSession()
	check(err)
	client := ec2metadata.New(shared)
	region, err := client.Region()
	check(err)
	fmt.Println("region", region)
	// The default chain ends at the instance's role.
	credentials, err := shared.Config.Credentials.Get()
	check(err)
	fmt.Println("credentials", credentials.ProviderName, credentials.AccessKeyID)
	document, err := client.GetInstanceIdentityDocument()
	check(err)
	fmt.Println("identity", document.InstanceID, document.AccountID)
	data, err := client.GetUserData()
	check(err)
	text, err := json.Marshal(data)
	check(err)
	fmt.Println("user-data", string(text))

	expire := exec.Command("sh", "-c", os.Getenv("INTEROP_EXPIRE"))
	expire.Stderr = os.Stderr
	check(expire.Run())
	// A new session: a client keeps a refused session token until its own clock says that it has expired.
	shared, err = session.NewSession()
	check(err)
	region, err = ec2metadata.New(shared).Region()
	check(err)
	credentials, err = shared.Config.Credentials.Get()
	check(err)
	fmt.Println("after-expiry", region, credentials.AccessKeyID)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
