$version: "2.0"

namespace imds

use imds.traits#tokenSource

/// Asks for a session token. Every call gives a new one; the earlier ones stay good until their own end.
///
/// Only the path with `latest` is served: a dated version, or a trailing `/`, is refused with 403. The answer travels
/// no farther than the instance's hop limit allows, so that behind a router or a container bridge it may never arrive.
@auth([])
@idempotent
@http(method: "PUT", uri: "/latest/api/token", code: 200)
operation CreateToken {
    input := {
        /// Seconds for which the token is to be good.
        @required
        @httpHeader("X-Aws-Ec2-Metadata-Token-Ttl-Seconds")
        ttlSeconds: TokenTtlSeconds
    }

    output := {
        /// The session token.
        @required
        @httpPayload
        @tokenSource("token")
        token: SessionToken

        /// Seconds for which the token is good, as they were asked for.
        @httpHeader("X-Aws-Ec2-Metadata-Token-Ttl-Seconds")
        @tokenSource("lifetime")
        ttlSeconds: TokenTtlSeconds
    }

    errors: [
        BadRequest
    ]
}

/// Life of a session token: one second to six hours.
@range(min: 1, max: 21600)
integer TokenTtlSeconds

/// A session token: opaque, and good on the instance that got it only.
@sensitive
string SessionToken
