$version: "2.0"

namespace imds

use imds.traits#bodyFormat
use imds.traits#category

/// Elastic GPUs and Elastic Inference accelerators.
resource Accelerators {
    operations: [
        GetElasticGpu
        GetElasticInferenceAccelerator
        ListElasticGpuAssociations
        ListElasticGpus
        ListElasticInference
        ListElasticInferenceAssociations
    ]
}

/// Lists what there is about Elastic GPUs.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/elastic-gpus")
@bodyFormat("directory")
@category(since: "2016-11-30", presence: "retired", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["associations/"]
        }
    }
])
operation ListElasticGpus {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Names the attached Elastic GPUs.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/elastic-gpus/associations")
@bodyFormat("directory")
@category(since: "2016-11-30", presence: "retired", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["egpu-0123456789abcdef0"]
        }
    }
])
operation ListElasticGpuAssociations {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Identity of one Elastic GPU, and how to reach it.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/elastic-gpus/associations/{gpuId}")
@bodyFormat("json")
@category(since: "2016-11-30", presence: "retired", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", gpuId: "egpu-0123456789abcdef0" }
        output: {
            document: {
                facts: { id: "egpu-0123456789abcdef0", type: "eg1.medium" }
            }
        }
    }
])
operation GetElasticGpu {
    input := with [Versioned] {
        /// Id of the Elastic GPU.
        @required
        @httpLabel
        gpuId: Text
    }

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: ElasticGpu
    }
}

/// Lists what there is about Elastic Inference.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/elastic-inference")
@bodyFormat("directory")
@category(since: "2018-11-29", presence: "retired", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["associations/"]
        }
    }
])
operation ListElasticInference {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Names the attached Elastic Inference accelerators.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/elastic-inference/associations")
@bodyFormat("directory")
@category(since: "2018-11-29", presence: "retired", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["eia-0123456789abcdef0"]
        }
    }
])
operation ListElasticInferenceAssociations {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Identity and type of one Elastic Inference accelerator.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/elastic-inference/associations/{acceleratorId}")
@bodyFormat("json")
@category(since: "2018-11-29", presence: "retired", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", acceleratorId: "eia-0123456789abcdef0" }
        output: {
            document: {
                facts: { id: "eia-0123456789abcdef0", type: "eia1.medium" }
            }
        }
    }
])
operation GetElasticInferenceAccelerator {
    input := with [Versioned] {
        /// Id of the accelerator.
        @required
        @httpLabel
        acceleratorId: Text
    }

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: ElasticInferenceAccelerator
    }
}
