module interop

go 1.25

require github.com/aws/aws-node-termination-handler v1.25.6

require (
	github.com/mattn/go-colorable v0.1.12 // indirect
	github.com/mattn/go-isatty v0.0.14 // indirect
	github.com/rs/zerolog v1.29.0 // indirect
	golang.org/x/sys v0.40.0 // indirect
)
