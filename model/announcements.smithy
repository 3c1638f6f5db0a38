$version: "2.0"

namespace imds

use imds.traits#bodyFormat
use imds.traits#category

/// What Spot, Auto Scaling and maintenance announce.
resource Announcements {
    operations: [
        GetMaintenanceHistory
        GetRebalanceRecommendation
        GetScheduledMaintenance
        GetSpotInstanceAction
        GetSpotTerminationTime
        ListEvents
        ListMaintenanceEvents
        ListRecommendations
        ListSpot
    ]
}

/// Names the kinds of announcements.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/events")
@bodyFormat("directory")
@category(since: "2018-08-17", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["maintenance/", "recommendations/"]
        }
    }
])
operation ListEvents {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Names the lists of maintenance events.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/events/maintenance")
@bodyFormat("directory")
@category(since: "2018-08-17", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["history", "scheduled"]
        }
    }
])
operation ListMaintenanceEvents {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Maintenance events that are over.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/events/maintenance/history")
@bodyFormat("json")
@category(
    since: "2018-08-17"
    presence: "conditional"
    requires: "A maintenance event that was finished or cancelled"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            document: [
                {
                    code: "system-reboot"
                    description: "[Completed] scheduled reboot"
                    eventId: "instance-event-0e439355b779n26"
                    notBefore: "21 Jan 2026 09:00:43 GMT"
                    notAfter: "21 Jan 2026 09:17:23 GMT"
                    state: "completed"
                }
            ]
        }
    }
])
operation GetMaintenanceHistory {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: MaintenanceEvents
    }
}

/// Maintenance events to come; an empty list where there is none.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/events/maintenance/scheduled")
@bodyFormat("json")
@category(since: "2018-08-17", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            document: [
                {
                    code: "system-reboot"
                    description: "scheduled reboot"
                    eventId: "instance-event-0d59937288b749b32"
                    notBefore: "21 Jan 2026 09:00:43 GMT"
                    notAfter: "21 Jan 2026 09:17:23 GMT"
                    state: "active"
                }
            ]
        }
    }
])
operation GetScheduledMaintenance {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: MaintenanceEvents
    }
}

/// Names the recommendations.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/events/recommendations")
@bodyFormat("directory")
@category(since: "2020-10-27", presence: "conditional", requires: "A rebalance recommendation", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["rebalance"]
        }
    }
])
operation ListRecommendations {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Tells when it was found that the Spot Instance is more likely than before to be interrupted.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/events/recommendations/rebalance")
@bodyFormat("json")
@category(
    since: "2020-10-27"
    presence: "conditional"
    requires: "A rebalance recommendation for a Spot Instance"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            document: { noticeTime: "2026-01-15T10:00:00Z" }
        }
    }
])
operation GetRebalanceRecommendation {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: RebalanceRecommendation
    }

    errors: [
        NotFound
    ]
}

/// Lists what there is about the interruption.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/spot")
@bodyFormat("directory")
@category(
    since: "2014-11-05"
    presence: "conditional"
    requires: "A Spot Instance marked for interruption"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["instance-action", "termination-time"]
        }
    }
])
operation ListSpot {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// What will be done with the Spot Instance, and when. Ask every five seconds; the notice is given on a best
/// effort.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/spot/instance-action")
@bodyFormat("json")
@category(
    since: "2016-11-15"
    presence: "conditional"
    requires: "A Spot Instance marked for interruption"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            document: { action: "terminate", time: "2026-01-15T10:02:00Z" }
        }
    }
])
operation GetSpotInstanceAction {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: SpotInstanceAction
    }

    errors: [
        NotFound
    ]
}

/// When the Spot Instance is shut down. Says nothing of stopping or hibernating, and may hold what is no time;
/// `spot/instance-action` is the better source.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/spot/termination-time")
@bodyFormat("text")
@category(
    since: "2014-11-05"
    presence: "conditional"
    requires: "A Spot Instance marked for termination"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "2026-01-15T10:02:00Z" }
    }
])
operation GetSpotTerminationTime {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}
