$version: "2.0"

namespace imds

/// A MAC address in lower case, its bytes divided by colons.
@pattern("^([0-9a-f]{2}:){5}[0-9a-f]{2}$")
string MacAddress

/// Bytes of whatever a path holds.
blob Bytes

/// User data: often a script or a cloud-init document, and often not without secrets.
@sensitive
blob UserData

/// A signature over the identity document, in base64. Who holds it can pass for the instance where a service takes it
/// as proof.
@sensitive
string Signature

/// Lifecycle state that an Auto Scaling group takes an instance to.
enum TargetLifecycleState {
    DETACHED = "Detached"
    IN_SERVICE = "InService"
    STANDBY = "Standby"
    TERMINATED = "Terminated"
    WARMED_HIBERNATED = "Warmed:Hibernated"
    WARMED_RUNNING = "Warmed:Running"
    WARMED_STOPPED = "Warmed:Stopped"
    WARMED_TERMINATED = "Warmed:Terminated"
}

/// What becomes of a Spot Instance.
enum SpotAction {
    HIBERNATE = "hibernate"
    STOP = "stop"
    TERMINATE = "terminate"
}

/// State of a maintenance event.
enum MaintenanceState {
    ACTIVE = "active"
    CANCELED = "canceled"
    COMPLETED = "completed"
}

/// A time in the form of RFC 3339, in UTC.
@timestampFormat("date-time")
timestamp DateTime

/// A time such as `1 Jan 2021 02:00:00 GMT`, its day without a leading zero.
@pattern("^[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$")
string EventTime

/// An interruption notice.
structure SpotInstanceAction {
    /// What becomes of the instance.
    @required
    action: SpotAction

    /// When.
    @required
    time: DateTime
}

/// A rebalance recommendation.
structure RebalanceRecommendation {
    /// When the recommendation was made.
    @required
    noticeTime: DateTime
}

/// Maintenance events.
list MaintenanceEvents {
    member: MaintenanceEvent
}

/// A maintenance event.
structure MaintenanceEvent {
    /// Kind of the event, such as `system-reboot`.
    @required
    @jsonName("Code")
    code: Text

    /// For people. In the history it begins with the outcome in brackets.
    @required
    @jsonName("Description")
    description: Text

    /// Id of the event.
    @jsonName("EventId")
    eventId: Text

    /// Earliest begin.
    @required
    @jsonName("NotBefore")
    notBefore: EventTime

    /// Latest end, where one is known.
    @jsonName("NotAfter")
    notAfter: EventTime

    /// Earliest begin to which the event can still be moved, where one is known.
    @jsonName("NotBeforeDeadline")
    notBeforeDeadline: EventTime

    /// State of the event.
    @required
    @jsonName("State")
    state: MaintenanceState
}

/// Facts about the attached instance profile.
structure IamInfo {
    /// `Success`, or what went wrong.
    @required
    @jsonName("Code")
    code: Text

    /// When the profile was last looked up.
    @required
    @jsonName("LastUpdated")
    lastUpdated: DateTime

    /// ARN of the instance profile.
    @jsonName("InstanceProfileArn")
    instanceProfileArn: Text

    /// Id of the instance profile.
    @jsonName("InstanceProfileId")
    instanceProfileId: Text
}

/// Facts about the credentials of the instance's own identity role.
structure IdentityCredentialsInfo {
    /// `Success`, or what went wrong.
    @required
    @jsonName("Code")
    code: Text

    /// When they were last renewed.
    @required
    @jsonName("LastUpdated")
    lastUpdated: DateTime

    /// Account of the instance: twelve digits, and so a text.
    @jsonName("AccountId")
    accountId: Text
}

/// Temporary credentials.
@sensitive
structure Credentials {
    /// `Success`, or what went wrong; then the rest is missing.
    @required
    @jsonName("Code")
    code: Text

    /// When they were last renewed.
    @required
    @jsonName("LastUpdated")
    lastUpdated: DateTime

    /// Kind of the credentials: `AWS-HMAC`.
    @jsonName("Type")
    type: Text

    /// Access key id.
    @jsonName("AccessKeyId")
    accessKeyId: Text

    /// Secret access key.
    @jsonName("SecretAccessKey")
    secretAccessKey: Text

    /// Session token of the credentials, which has nothing to do with the service's own.
    @jsonName("Token")
    token: Text

    /// When they end.
    @jsonName("Expiration")
    expiration: DateTime

    /// Account of the role; only the extended form has it.
    @jsonName("AccountId")
    accountId: Text
}

/// The instance identity document. A member without a value is `null`.
structure IdentityDocument {
    /// Account that launched the instance.
    accountId: Text

    /// Architecture of the image.
    architecture: Text

    /// Availability Zone.
    availabilityZone: Text

    /// Billing product codes.
    billingProducts: Lines

    /// DevPay product codes, of which there are no new ones.
    devpayProductCodes: Lines

    /// AWS Marketplace product codes.
    marketplaceProductCodes: Lines

    /// Image.
    imageId: Text

    /// Instance.
    instanceId: Text

    /// Type of the instance.
    instanceType: Text

    /// Kernel, for a paravirtual image.
    kernelId: Text

    /// When the instance was launched.
    pendingTime: DateTime

    /// Private IPv4 address of the primary interface.
    privateIp: Text

    /// RAM disk, for a paravirtual image.
    ramdiskId: Text

    /// AWS Region.
    region: Text

    /// Version of the document's form.
    version: Text
}

/// An Elastic GPU.
structure ElasticGpu {
    /// The facts, in the form of that date.
    @jsonName("version_2018_02_12")
    facts: ElasticGpuFacts
}

/// Facts about an Elastic GPU.
structure ElasticGpuFacts {
    /// Id.
    @jsonName("elastic-gpu-id")
    id: Text

    /// Type.
    @jsonName("elastic-gpu-type")
    type: Text
}

/// An Elastic Inference accelerator.
structure ElasticInferenceAccelerator {
    /// The facts, in the form of that date.
    @jsonName("version_2018_04_12")
    facts: ElasticInferenceFacts
}

/// Facts about an Elastic Inference accelerator.
structure ElasticInferenceFacts {
    /// Id.
    @jsonName("elastic-inference-accelerator-id")
    id: Text

    /// Type.
    @jsonName("elastic-inference-accelerator-type")
    type: Text
}
