$version: "2.0"

namespace imds.traits

/// Session authentication of the metadata service: a token is asked for with a request of its own and then carried
/// in a header of every other request.
///
/// Generators that know a trait named `aws.auth#imdsv2` may treat this one as that. What a client owes to the
/// service is in `protocol.md`, section "Session tokens".
@trait(selector: "service")
@authDefinition(
    traits: [tokenSource]
)
structure imdsv2 {
    /// Header that carries the session token.
    @required
    tokenHeader: String

    /// Operation that answers with a session token. It is not authenticated itself.
    @required
    tokenOperation: TokenOperation
}

/// An operation, by its shape id.
@idRef(failWhenMissing: true, selector: "operation")
string TokenOperation

/// What a member of the token operation's output means to the session.
@trait(selector: "structure > member")
enum tokenSource {
    /// The session token itself.
    TOKEN = "token"

    /// Seconds for which the token is good.
    LIFETIME = "lifetime"
}

/// The wire protocol of the metadata service: plain GETs over HTTP/1.1 whose bodies have one of the forms that
/// `bodyFormat` names, and errors that differ by their status alone.
///
/// Generators that know a trait named `aws.protocols#imds` may treat this one as that. `protocol.md` is normative.
@trait(selector: "service")
@protocolDefinition(
    traits: [
        bodyFormat
        smithy.api#default
        smithy.api#http
        smithy.api#httpError
        smithy.api#httpHeader
        smithy.api#httpLabel
        smithy.api#httpPayload
        smithy.api#jsonName
        smithy.api#mediaType
        smithy.api#sensitive
        smithy.api#timestampFormat
    ]
    noInlineDocumentSupport: true
)
structure imds {
    /// Schema versions that stand in front of a path, oldest first, as far as they are known. A service may know
    /// more or fewer.
    @required
    apiVersions: ApiVersions
}

/// Schema versions.
list ApiVersions {
    member: String
}

/// How the bytes of an answer's body are to be read.
@trait(selector: "operation")
enum bodyFormat {
    /// One value, taken byte for byte, in UTF-8.
    TEXT = "text"

    /// One whole number in decimal digits.
    INTEGER = "integer"

    /// Values, one per line.
    LINES = "lines"

    /// Names of entries below this path, one per line; one that ends in `/` has entries of its own.
    DIRECTORY = "directory"

    /// One JSON value.
    JSON = "json"

    /// Bytes without a meaning that the service knows.
    OPAQUE = "opaque"
}

/// What is known of the value behind an operation.
@trait(selector: "operation")
structure category {
    /// Schema version that shows the category first; absent where no public source says.
    since: SchemaVersion

    /// Whether every instance has it.
    @required
    presence: Presence

    /// What an instance needs in order to have it; said where `presence` is `conditional`.
    requires: String

    /// When the value may change.
    @required
    mutability: Mutability

    /// Whether the service of a Snowball Edge device has it (Snowball Edge Developer Guide, "Instance metadata").
    snowball: Boolean = false

    /// Whether the EC2 User Guide lists the category. The others are read by public programs of the platform.
    documented: Boolean = true
}

/// `1.0` or a date.
@pattern("^(1\\.0|20[0-9]{2}-[0-9]{2}-[0-9]{2})$")
string SchemaVersion

/// Whether every instance has a category.
enum Presence {
    /// Every instance has it.
    ALWAYS = "always"

    /// Only an instance that meets the condition has it.
    CONDITIONAL = "conditional"

    /// The platform no longer fills it on new instances.
    RETIRED = "retired"
}

/// When the value of a category may change.
enum Mutability {
    /// Never after launch.
    LAUNCH = "launch"

    /// When the instance is stopped and started.
    START = "start"

    /// At any time.
    RUNNING = "running"
}
