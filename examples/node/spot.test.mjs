// Drain before EC2 interrupts a Spot instance. Test: imds emulate --preset spot -- node --test examples/node
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

const service = process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT ?? "http://169.254.169.254/";

// The notice, which comes two minutes before the interruption, or null.
async function interruption() {
  const ttl = { "X-aws-ec2-metadata-token-ttl-seconds": "60" };
  const token = await (await fetch(new URL("latest/api/token", service), { method: "PUT", headers: ttl })).text();
  const headers = { "X-aws-ec2-metadata-token": token };
  const answer = await fetch(new URL("latest/meta-data/spot/instance-action", service), { headers });
  return answer.status === 404 ? null : JSON.parse(await answer.text());
}

async function run(work, drain) {
  let notice;
  while (!(notice = await interruption())) work();
  drain(notice.action);
}

test("drains before the interruption", async () => {
  const done = [];
  await run(() => {
    if (done.push("work") === 3) execFileSync("imds", ["emulator", "ctl", "event", "interrupt", "action=stop"]);
  }, (action) => done.push(action));
  assert.deepEqual(done, ["work", "work", "work", "stop"]);
});
