$version: "2.0"

namespace imds

/// Schema version in front of a path.
@pattern("^(latest|1\\.0|20[0-9]{2}-[0-9]{2}-[0-9]{2})$")
string ApiVersion

/// A whole number in decimal digits. The service writes numbers as text.
@pattern("^[0-9]+$")
string Digits

/// Text without a form of its own.
string Text

/// Values or names, one to a line.
list Lines {
    member: Text
}

/// A path below one of the trees, without a leading `/`.
@length(min: 1, max: 4096)
string MetadataPath

/// Seconds for which the token of the request is still good.
@range(min: 0, max: 21600)
integer RemainingSeconds

/// What every read takes: the schema version. A dated one hides the categories that came later.
@mixin
structure Versioned {
    /// `latest`, or the schema version that the reader was written against.
    @required
    @httpLabel
    apiVersion: ApiVersion = "latest"
}

/// What every answer to a request with a session token carries.
@mixin
structure SessionAnswer {
    /// Seconds for which the token of the request is still good.
    @httpHeader("X-Aws-Ec2-Metadata-Token-Ttl-Seconds")
    tokenRemainingSeconds: RemainingSeconds
}

/// The answer of a `text` category.
@mixin
structure TextAnswer with [SessionAnswer] {
    /// The value.
    @required
    @httpPayload
    value: Text
}

/// The answer of an `integer` category.
@mixin
structure IntegerAnswer with [SessionAnswer] {
    /// The value.
    @required
    @httpPayload
    value: Digits
}

/// The answer of a `lines` category.
@mixin
structure LinesAnswer with [SessionAnswer] {
    /// The values.
    @required
    @httpPayload
    values: Lines
}

/// The answer of a `directory`.
@mixin
structure DirectoryAnswer with [SessionAnswer] {
    /// The names of its entries.
    @required
    @httpPayload
    names: Lines
}
