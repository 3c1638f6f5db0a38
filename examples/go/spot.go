// Package spot drains before EC2 interrupts a Spot instance.
package spot

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/transport/http"
)

// Interruption returns EC2's action, announced two minutes ahead, or an empty string.
func Interruption(client *imds.Client) (string, error) {
	var notice struct{ Action string }
	answer, err := client.GetMetadata(context.Background(), &imds.GetMetadataInput{Path: "spot/instance-action"})
	if err == nil {
		err = json.NewDecoder(answer.Content).Decode(&notice)
	}
	if status := (*http.ResponseError)(nil); errors.As(err, &status) && status.HTTPStatusCode() == 404 {
		err = nil
	}
	return notice.Action, err
}

// Run works until EC2 announces an interruption, then drains.
func Run(client *imds.Client, work func(), drain func(action string)) error {
	action, err := Interruption(client)
	for ; action == "" && err == nil; action, err = Interruption(client) {
		work()
	}
	if err == nil {
		drain(action)
	}
	return err
}
