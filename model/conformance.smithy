$version: "2.0"

namespace imds

use imds.traits#imds
use smithy.test#httpMalformedRequestTests
use smithy.test#httpRequestTests
use smithy.test#httpResponseTests

// Cases that a client (requests, responses) and a service (requests, malformed requests) are run against. A service
// that runs them has session tokens `required`.
apply CreateToken @httpRequestTests([
    {
        id: "TokenForSixHours"
        documentation: "The TTL stands in a header; there is no body and no session token."
        protocol: imds
        method: "PUT"
        uri: "/latest/api/token"
        headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "21600" }
        forbidHeaders: ["X-Aws-Ec2-Metadata-Token", "X-Forwarded-For", "Authorization", "Expect"]
        body: ""
        params: { ttlSeconds: 21600 }
    }
    {
        id: "TokenForOneSecond"
        documentation: "The shortest life."
        protocol: imds
        method: "PUT"
        uri: "/latest/api/token"
        headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "1" }
        forbidHeaders: ["X-Aws-Ec2-Metadata-Token", "X-Forwarded-For", "Authorization", "Expect"]
        body: ""
        params: { ttlSeconds: 1 }
    }
])

apply GetInstanceId @httpRequestTests([
    {
        id: "ReadCarriesTheToken"
        documentation: "Every read carries the session token."
        protocol: imds
        method: "GET"
        uri: "/latest/meta-data/instance-id"
        requireHeaders: ["X-Aws-Ec2-Metadata-Token"]
        forbidHeaders: ["X-Forwarded-For", "Authorization"]
        body: ""
        params: { apiVersion: "latest" }
    }
    {
        id: "ReadOfADatedVersion"
        documentation: "The schema version is the first segment."
        protocol: imds
        method: "GET"
        uri: "/2021-03-23/meta-data/instance-id"
        requireHeaders: ["X-Aws-Ec2-Metadata-Token"]
        forbidHeaders: ["X-Forwarded-For", "Authorization"]
        body: ""
        params: { apiVersion: "2021-03-23" }
    }
])

apply ListVersions @httpRequestTests([
    {
        id: "VersionsAtTheRoot"
        documentation: "The root has no version in front."
        protocol: imds
        method: "GET"
        uri: "/"
        requireHeaders: ["X-Aws-Ec2-Metadata-Token"]
        forbidHeaders: ["X-Forwarded-For", "Authorization"]
        body: ""
        params: {}
    }
])

apply ListMetadata @httpRequestTests([
    {
        id: "TopOfTheTree"
        documentation: "A directory may be asked for without a trailing slash."
        protocol: imds
        method: "GET"
        uri: "/latest/meta-data"
        requireHeaders: ["X-Aws-Ec2-Metadata-Token"]
        forbidHeaders: ["X-Forwarded-For", "Authorization"]
        body: ""
        params: { apiVersion: "latest" }
    }
])

apply GetInterfaceDeviceNumber @httpRequestTests([
    {
        id: "ColonsStandAsTheyAre"
        documentation: "The colons of a MAC address are not percent-encoded: they may stand in a path (RFC 3986, pchar)."
        protocol: imds
        method: "GET"
        uri: "/latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/device-number"
        requireHeaders: ["X-Aws-Ec2-Metadata-Token"]
        forbidHeaders: ["X-Forwarded-For", "Authorization"]
        body: ""
        params: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
    }
])

apply GetTag @httpRequestTests([
    {
        id: "TagKeyAsItIs"
        documentation: "What a tag key may hold may stand in a path as it is."
        protocol: imds
        method: "GET"
        uri: "/latest/meta-data/tags/instance/team:a+b=c@d,e.f_g-h"
        requireHeaders: ["X-Aws-Ec2-Metadata-Token"]
        forbidHeaders: ["X-Forwarded-For", "Authorization"]
        body: ""
        params: { apiVersion: "latest", key: "team:a+b=c@d,e.f_g-h" }
    }
    {
        id: "TagKeyEncoded"
        documentation: "What may not stand in a path is percent-encoded from its UTF-8 bytes."
        protocol: imds
        method: "GET"
        uri: "/latest/meta-data/tags/instance/Gr%C3%B6%C3%9Fe"
        requireHeaders: ["X-Aws-Ec2-Metadata-Token"]
        forbidHeaders: ["X-Forwarded-For", "Authorization"]
        body: ""
        params: { apiVersion: "latest", key: "Größe" }
    }
])

apply GetMetadata @httpRequestTests([
    {
        id: "AnyPath"
        documentation: "The slashes of a free path stay."
        protocol: imds
        method: "GET"
        uri: "/latest/meta-data/network/interfaces/macs/"
        requireHeaders: ["X-Aws-Ec2-Metadata-Token"]
        forbidHeaders: ["X-Forwarded-For", "Authorization"]
        body: ""
        params: { apiVersion: "latest", path: "network/interfaces/macs/" }
    }
])

apply GetDynamicData @httpRequestTests([
    {
        id: "AnyDynamicPath"
        documentation: "The other tree."
        protocol: imds
        method: "GET"
        uri: "/latest/dynamic/instance-identity/rsa2048"
        requireHeaders: ["X-Aws-Ec2-Metadata-Token"]
        forbidHeaders: ["X-Forwarded-For", "Authorization"]
        body: ""
        params: { apiVersion: "latest", path: "instance-identity/rsa2048" }
    }
])

apply GetUserData @httpRequestTests([
    {
        id: "UserDataBesideTheTrees"
        documentation: "User data stand beside the trees."
        protocol: imds
        method: "GET"
        uri: "/latest/user-data"
        requireHeaders: ["X-Aws-Ec2-Metadata-Token"]
        forbidHeaders: ["X-Forwarded-For", "Authorization"]
        body: ""
        params: { apiVersion: "latest" }
    }
])

apply CreateToken @httpResponseTests([
    {
        id: "TokenAnswer"
        documentation: "The token is the body; the header says for how long it is good."
        protocol: imds
        code: 200
        headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "21600" }
        body: "AQAEAEXAMPLETOKENEXAMPLETOKENEXAMPLETOKENEXAMPLETOKENE=="
        params: { token: "AQAEAEXAMPLETOKENEXAMPLETOKENEXAMPLETOKENEXAMPLETOKENE==", ttlSeconds: 21600 }
    }
])

apply GetInstanceId @httpResponseTests([
    {
        id: "TextAnswer"
        documentation: "The body is the value, byte for byte."
        protocol: imds
        code: 200
        headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "21599" }
        body: "i-1234567890abcdef0"
        params: { value: "i-1234567890abcdef0", tokenRemainingSeconds: 21599 }
    }
    {
        id: "TextKeepsItsNewlines"
        documentation: "Nothing is cut off a value."
        protocol: imds
        code: 200
        body: "i-1234567890abcdef0\n"
        params: { value: "i-1234567890abcdef0\n" }
    }
])

apply GetTag @httpResponseTests([
    {
        id: "NonAsciiText"
        documentation: "Text is UTF-8."
        protocol: imds
        code: 200
        body: "Größe: 5 µm"
        params: { value: "Größe: 5 µm" }
    }
    {
        id: "EmptyText"
        documentation: "A tag may have no value."
        protocol: imds
        code: 200
        body: ""
        params: { value: "" }
    }
])

apply GetAmiLaunchIndex @httpResponseTests([
    {
        id: "IntegerAnswer"
        documentation: "A number is written in decimal digits."
        protocol: imds
        code: 200
        body: "0"
        params: { value: "0" }
    }
])

apply GetSecurityGroups @httpResponseTests([
    {
        id: "LinesAnswer"
        documentation: "One value per line, with no newline after the last."
        protocol: imds
        code: 200
        body: "default\nweb servers"
        params: {
            values: ["default", "web servers"]
        }
    }
    {
        id: "LinesWithALastNewline"
        documentation: "A newline after the last line adds no value."
        protocol: imds
        code: 200
        body: "default\nweb servers\n"
        params: {
            values: ["default", "web servers"]
        }
    }
    {
        id: "NoLines"
        documentation: "An empty body holds no values."
        protocol: imds
        code: 200
        body: ""
        params: {
            values: []
        }
    }
])

apply ListPublicKeys @httpResponseTests([
    {
        id: "KeysByIndex"
        documentation: "A launch key is listed by its index and name."
        protocol: imds
        code: 200
        body: "0=my-key\n1=other key"
        params: {
            names: ["0=my-key", "1=other key"]
        }
    }
])

apply ListInterfaces @httpResponseTests([
    {
        id: "DirectoriesEndInASlash"
        documentation: "An entry with entries of its own ends in a slash."
        protocol: imds
        code: 200
        body: "02:29:96:8f:6a:2d/"
        params: {
            names: ["02:29:96:8f:6a:2d/"]
        }
    }
])

apply GetSpotInstanceAction @httpResponseTests([
    {
        id: "JsonAnswer"
        documentation: "A document is JSON, though its content type is plain text."
        protocol: imds
        code: 200
        headers: { "Content-Type": "text/plain" }
        body: "{\"action\": \"stop\", \"time\": \"2017-09-18T08:22:00Z\"}"
        params: {
            document: { action: "stop", time: 1505722920 }
        }
    }
])

apply GetScheduledMaintenance @httpResponseTests([
    {
        id: "NoEvents"
        documentation: "No event is an empty list, not an absent path."
        protocol: imds
        code: 200
        body: "[]"
        params: {
            document: []
        }
    }
    {
        id: "EventTimes"
        documentation: "The times of events have a form of their own, in which the day has no leading zero; the end may be missing."
        protocol: imds
        code: 200
        body: "[ {\n  \"Code\" : \"instance-stop\",\n  \"Description\" : \"The instance is running on degraded hardware\",\n  \"EventId\" : \"instance-event-0d59937288b749b32\",\n  \"NotBefore\" : \"1 Jan 2021 02:00:00 GMT\",\n  \"State\" : \"active\"\n} ]"
        params: {
            document: [
                {
                    code: "instance-stop"
                    description: "The instance is running on degraded hardware"
                    eventId: "instance-event-0d59937288b749b32"
                    notBefore: "1 Jan 2021 02:00:00 GMT"
                    state: "active"
                }
            ]
        }
    }
])

apply BadRequest @httpResponseTests([
    {
        id: "BadRequestByStatus"
        documentation: "The status alone tells the error; the body may be empty."
        protocol: imds
        code: 400
        body: ""
        params: { body: "" }
    }
])

apply Unauthorized @httpResponseTests([
    {
        id: "UnauthorizedByStatus"
        documentation: "The status alone tells the error; the body may be empty."
        protocol: imds
        code: 401
        body: ""
        params: { body: "" }
    }
])

apply Forbidden @httpResponseTests([
    {
        id: "ForbiddenByStatus"
        documentation: "The status alone tells the error; the body may be empty."
        protocol: imds
        code: 403
        body: ""
        params: { body: "" }
    }
])

apply InternalError @httpResponseTests([
    {
        id: "InternalErrorByStatus"
        documentation: "The status alone tells the error; the body may be empty."
        protocol: imds
        code: 500
        body: ""
        params: { body: "" }
    }
])

apply ServiceUnavailable @httpResponseTests([
    {
        id: "ServiceUnavailableByStatus"
        documentation: "The status alone tells the error; the body may be empty."
        protocol: imds
        code: 503
        body: ""
        params: { body: "" }
    }
])

apply NotFound @httpResponseTests([
    {
        id: "NotFoundByStatus"
        documentation: "The body is a page for people, and no part of the error."
        protocol: imds
        code: 404
        headers: { "Content-Type": "text/html" }
        body: "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n\t\t \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n <head>\n  <title>404 - Not Found</title>\n </head>\n <body>\n  <h1>404 - Not Found</h1>\n </body>\n</html>\n"
        params: { body: "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n\t\t \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n <head>\n  <title>404 - Not Found</title>\n </head>\n <body>\n  <h1>404 - Not Found</h1>\n </body>\n</html>\n" }
    }
])

apply CreateToken @httpMalformedRequestTests([
    {
        id: "TtlMissing"
        documentation: "A TTL must be asked for."
        protocol: imds
        request: { method: "PUT", uri: "/latest/api/token" }
        response: { code: 400 }
    }
    {
        id: "TtlEmpty"
        documentation: "An empty TTL is none."
        protocol: imds
        request: {
            method: "PUT"
            uri: "/latest/api/token"
            headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "" }
        }
        response: { code: 400 }
    }
    {
        id: "TtlZero"
        documentation: "One second is the least."
        protocol: imds
        request: {
            method: "PUT"
            uri: "/latest/api/token"
            headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "0" }
        }
        response: { code: 400 }
    }
    {
        id: "TtlTooLong"
        documentation: "Six hours are the most."
        protocol: imds
        request: {
            method: "PUT"
            uri: "/latest/api/token"
            headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "21601" }
        }
        response: { code: 400 }
    }
    {
        id: "TtlNegative"
        documentation: "A TTL is not negative."
        protocol: imds
        request: {
            method: "PUT"
            uri: "/latest/api/token"
            headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "-1" }
        }
        response: { code: 400 }
    }
    {
        id: "TtlNoNumber"
        documentation: "A TTL is a number."
        protocol: imds
        request: {
            method: "PUT"
            uri: "/latest/api/token"
            headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "abc" }
        }
        response: { code: 400 }
    }
    {
        id: "TokenThroughAProxy"
        documentation: "A request that came through a proxy is refused."
        protocol: imds
        request: {
            method: "PUT"
            uri: "/latest/api/token"
            headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "60", "X-Forwarded-For": "203.0.113.7" }
        }
        response: { code: 403 }
    }
    {
        id: "TokenOfADatedVersion"
        documentation: "Tokens are given under `latest` only."
        protocol: imds
        request: {
            method: "PUT"
            uri: "/2021-03-23/api/token"
            headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "60" }
        }
        response: { code: 403 }
    }
    {
        id: "TokenPathWithASlash"
        documentation: "The token path has no trailing slash."
        protocol: imds
        request: {
            method: "PUT"
            uri: "/latest/api/token/"
            headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "60" }
        }
        response: { code: 403 }
    }
    {
        id: "TokenByGet"
        documentation: "A token is asked for by PUT."
        protocol: imds
        request: { method: "GET", uri: "/latest/api/token" }
        response: { code: 405 }
    }
    {
        id: "TokenByPost"
        documentation: "A token is asked for by PUT."
        protocol: imds
        request: {
            method: "POST"
            uri: "/latest/api/token"
            headers: { "X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "60" }
        }
        response: { code: 405 }
    }
])

apply GetInstanceId @httpMalformedRequestTests([
    {
        id: "ReadWithoutToken"
        documentation: "Where tokens are required, a read without one is refused."
        protocol: imds
        request: { method: "GET", uri: "/latest/meta-data/instance-id" }
        response: { code: 401 }
    }
    {
        id: "ReadWithEmptyToken"
        documentation: "A header with nothing in it is not a token."
        protocol: imds
        request: {
            method: "GET"
            uri: "/latest/meta-data/instance-id"
            headers: { "X-Aws-Ec2-Metadata-Token": "" }
        }
        response: { code: 401 }
    }
    {
        id: "ReadWithForeignToken"
        documentation: "A token of another instance, or none at all, is refused."
        protocol: imds
        request: {
            method: "GET"
            uri: "/latest/meta-data/instance-id"
            headers: { "X-Aws-Ec2-Metadata-Token": "bm90IGEgdG9rZW4=" }
        }
        response: { code: 401 }
    }
])
