module example.com/spot

go 1.24

require (
	github.com/aws/aws-sdk-go-v2/feature/ec2/imds v1.20.7
	github.com/aws/smithy-go v1.28.8
)

require github.com/aws/aws-sdk-go-v2 v1.47.7 // indirect
