// Reads the emulated service with the AWS SDK for JavaScript v2 and prints one `ASPECT VALUE` line for each thing read.

const { execSync } = require("node:child_process");
const AWS = require("aws-sdk");

const service = new AWS.MetadataService();

function callback(start) {
  return new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))));
}

// `request` sends a session token only if it is given one; this is how the SDK's own credentials do it.
async function get(path) {
  const token = await callback((done) => service.fetchMetadataToken(done));
  return callback((done) => service.request(path, { headers: { "x-aws-ec2-metadata-token": token } }, done));
}

// A new provider of the default chain, which nothing is configured for and which ends at the instance's role.
async function accessKey() {
  const credentials = await new AWS.CredentialProviderChain().resolvePromise();
  return `${credentials.constructor.name} ${credentials.accessKeyId}`;
}

async function main() {
  console.log("version AWS SDK for JavaScript v2,", AWS.VERSION);
  console.log("region", await get("/latest/meta-data/placement/region"));
  console.log("credentials", await accessKey());
  const document = JSON.parse(await get("/latest/dynamic/instance-identity/document"));
  console.log("identity", document.instanceId, document.accountId);
  console.log("user-data", JSON.stringify(await get("/latest/user-data")));
  execSync(process.env.INTEROP_EXPIRE, { stdio: "inherit" });
  const [, key] = (await accessKey()).split(" ");
  console.log("after-expiry", await get("/latest/meta-data/placement/region"), key);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
