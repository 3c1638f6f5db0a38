$version: "2.0"

namespace imds

use smithy.waiters#waitable

// Five seconds between questions, as the EC2 User Guide advises for interruption notices. `NotFound` is the only
// answer that means "not yet": a busy service says nothing about the announcement.
apply GetSpotInstanceAction @waitable(
    SpotInterruptionNotice: {
        documentation: "The Spot Instance is marked for interruption."
        minDelay: 5
        maxDelay: 5
        acceptors: [
            {
                state: "success"
                matcher: { success: true }
            }
            {
                state: "retry"
                matcher: { errorType: "NotFound" }
            }
        ]
    }
)

apply GetRebalanceRecommendation @waitable(
    RebalanceRecommended: {
        documentation: "The Spot Instance is at a higher risk of interruption."
        minDelay: 5
        maxDelay: 5
        acceptors: [
            {
                state: "success"
                matcher: { success: true }
            }
            {
                state: "retry"
                matcher: { errorType: "NotFound" }
            }
        ]
    }
)

apply GetAutoScalingTargetLifecycleState @waitable(
    TargetInService: {
        documentation: "The Auto Scaling group takes the instance into service."
        minDelay: 5
        maxDelay: 5
        acceptors: [
            {
                state: "success"
                matcher: {
                    output: { path: "value", expected: "InService", comparator: "stringEquals" }
                }
            }
            {
                state: "failure"
                matcher: {
                    output: { path: "value", expected: "Terminated", comparator: "stringEquals" }
                }
            }
            {
                state: "retry"
                matcher: { success: true }
            }
            {
                state: "retry"
                matcher: { errorType: "NotFound" }
            }
        ]
    }
    TargetTerminated: {
        documentation: "The Auto Scaling group ends the instance, at once or out of a warm pool."
        minDelay: 5
        maxDelay: 5
        acceptors: [
            {
                state: "success"
                matcher: {
                    output: { path: "value", expected: "Terminated", comparator: "stringEquals" }
                }
            }
            {
                state: "success"
                matcher: {
                    output: { path: "value", expected: "Warmed:Terminated", comparator: "stringEquals" }
                }
            }
            {
                state: "retry"
                matcher: { success: true }
            }
            {
                state: "retry"
                matcher: { errorType: "NotFound" }
            }
        ]
    }
)

apply GetScheduledMaintenance @waitable(
    MaintenanceScheduled: {
        documentation: "A maintenance event is scheduled."
        minDelay: 30
        maxDelay: 120
        acceptors: [
            {
                state: "success"
                matcher: {
                    output: { path: "length(document) > `0`", expected: "true", comparator: "booleanEquals" }
                }
            }
            {
                state: "retry"
                matcher: { success: true }
            }
        ]
    }
)

apply GetRoleCredentials @waitable(
    RoleCredentialsDelivered: {
        documentation: "The role's credentials have reached the instance, which takes a while after a role was attached."
        minDelay: 1
        maxDelay: 15
        acceptors: [
            {
                state: "success"
                matcher: {
                    output: { path: "document.code", expected: "Success", comparator: "stringEquals" }
                }
            }
            {
                state: "retry"
                matcher: { success: true }
            }
            {
                state: "retry"
                matcher: { errorType: "NotFound" }
            }
        ]
    }
)
