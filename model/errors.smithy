$version: "2.0"

namespace imds

/// Bodies of errors are for people: most answers have none, some an XHTML page. Only the status tells the error.
@mixin
structure ErrorBody {
    /// Whatever stood in the body.
    @httpPayload
    body: String
}

/// The token request lacks a TTL, or its TTL is no number from 1 to 21,600.
@error("client")
@httpError(400)
structure BadRequest with [ErrorBody] {}

/// The session token is missing, expired, or not one of this instance. A new token mends it.
@error("client")
@httpError(401)
structure Unauthorized with [ErrorBody] {}

/// The service is turned off for the instance, or it refuses a request that came through a proxy. Trying again does
/// not help.
@error("client")
@httpError(403)
structure Forbidden with [ErrorBody] {}

/// The instance has nothing at this path, or not yet.
@error("client")
@httpError(404)
structure NotFound with [ErrorBody] {}

/// The service failed.
@error("server")
@httpError(500)
@retryable
structure InternalError with [ErrorBody] {}

/// The service is busy.
@error("server")
@httpError(503)
@retryable(throttling: true)
structure ServiceUnavailable with [ErrorBody] {}
