$version: "2.0"

namespace imds

use smithy.rules#clientContextParams
use smithy.rules#endpointRuleSet
use smithy.rules#endpointTests

apply InstanceMetadata @clientContextParams(
    EndpointMode: {
        type: "string"
        documentation: "Which of the two link-local addresses is asked where no endpoint is given: `IPv4` or `IPv6`, in this spelling. Readers take any case from people."
    }
)

apply InstanceMetadata @endpointRuleSet({
    version: "1.0"
    parameters: {
        Endpoint: { type: "string", builtIn: "SDK::Endpoint", documentation: "An endpoint given outright. It beats every mode." }
        EndpointMode: { type: "string", required: true, default: "IPv4", documentation: "Which of the two link-local addresses is asked." }
    }
    rules: [
        {
            documentation: "An endpoint given outright"
            type: "endpoint"
            conditions: [
                {
                    fn: "isSet"
                    argv: [
                        {
                            ref: "Endpoint"
                        }
                    ]
                }
            ]
            endpoint: {
                url: { ref: "Endpoint" }
            }
        }
        {
            documentation: "The IPv4 address"
            type: "endpoint"
            conditions: [
                {
                    fn: "stringEquals"
                    argv: [
                        {
                            ref: "EndpointMode"
                        }
                        "IPv4"
                    ]
                }
            ]
            endpoint: { url: "http://169.254.169.254" }
        }
        {
            documentation: "The IPv6 address, which only Nitro instances have"
            type: "endpoint"
            conditions: [
                {
                    fn: "stringEquals"
                    argv: [
                        {
                            ref: "EndpointMode"
                        }
                        "IPv6"
                    ]
                }
            ]
            endpoint: { url: "http://[fd00:ec2::254]" }
        }
        {
            documentation: "Anything else is a mistake"
            type: "error"
            conditions: []
            error: "endpoint mode `{EndpointMode}` is neither `IPv4` nor `IPv6`"
        }
    ]
})

apply InstanceMetadata @endpointTests(
    version: "1.0"
    testCases: [
        {
            documentation: "IPv4 where nothing is said"
            params: {}
            expect: {
                endpoint: { url: "http://169.254.169.254" }
            }
        }
        {
            documentation: "IPv4 by mode"
            params: { EndpointMode: "IPv4" }
            expect: {
                endpoint: { url: "http://169.254.169.254" }
            }
        }
        {
            documentation: "IPv6 by mode"
            params: { EndpointMode: "IPv6" }
            expect: {
                endpoint: { url: "http://[fd00:ec2::254]" }
            }
        }
        {
            documentation: "An endpoint beats a mode, and keeps its port and path"
            params: { Endpoint: "http://127.0.0.1:1338/prefix", EndpointMode: "IPv6" }
            expect: {
                endpoint: { url: "http://127.0.0.1:1338/prefix" }
            }
        }
        {
            documentation: "A mode that is none"
            params: { EndpointMode: "dual" }
            expect: { error: "endpoint mode `dual` is neither `IPv4` nor `IPv6`" }
        }
    ]
)
