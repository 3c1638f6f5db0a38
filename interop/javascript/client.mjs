// Reads the emulated service with the AWS SDK for JavaScript v3: role credentials with the credential provider, the
// rest with the metadata service package. Prints one `ASPECT VALUE` line for each thing read.

import { execSync } from "node:child_process";
import { createRequire } from "node:module";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import { MetadataService } from "@aws-sdk/ec2-metadata-service";

const installed = createRequire(import.meta.url);
// The package knows the variable of the endpoint mode and does not read it.
const endpoint = process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE === "IPv6" ? { endpoint: "http://[fd00:ec2::254]" } : {};
const service = new MetadataService({ ...endpoint, httpOptions: { timeout: 10_000 } });
const get = (path) => service.request(path, {});
const accessKey = async () => (await fromNodeProviderChain()()).accessKeyId;

console.log("version", "AWS SDK for JavaScript v3, ec2-metadata-service", installed("@aws-sdk/ec2-metadata-service/package.json").version);
console.log("region", await get("/latest/meta-data/placement/region"));
console.log("credentials", "chain", await accessKey());
const document = JSON.parse(await get("/latest/dynamic/instance-identity/document"));
console.log("identity", document.instanceId, document.accountId);
console.log("user-data", JSON.stringify(await get("/latest/user-data")));
execSync(process.env.INTEROP_EXPIRE, { stdio: "inherit" });
console.log("after-expiry", await get("/latest/meta-data/placement/region"), await accessKey());
