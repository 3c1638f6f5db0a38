// The page in a real browser: the tree is there, the interruption that its button starts is served, a v1 request is
// marked. Arguments: the control API's address, the service's address, the browser, where the screenshot goes.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const [control, service, executablePath, screenshot] = process.argv.slice(2);
const notice = `${service}/latest/meta-data/spot/instance-action`;

async function get(url, headers = {}) {
  const answer = await fetch(url, { headers });
  return { status: answer.status, text: await answer.text() };
}

const browser = await chromium.launch({ executablePath, headless: true, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 760 } });
  const foreign = [];
  page.on('request', request => { if (!request.url().startsWith(control)) foreign.push(request.url()); });
  const complaints = [];
  page.on('console', message => { if (message.type() === 'error') complaints.push(message.text()); });
  await page.goto(control + '/');

  const leaf = path => page.locator(`[data-path="${path}"] span`);
  await leaf('/latest/meta-data/instance-id').filter({ hasText: 'i-1234567890abcdef0' }).waitFor();
  assert.equal(await leaf('/latest/meta-data/iam/security-credentials/my-role').textContent(), '(secret)');

  assert.equal((await get(notice)).status, 404);
  await page.click('#interrupt');
  await leaf('/latest/meta-data/spot/instance-action').filter({ hasText: '"terminate"' }).waitFor();
  const { status, text } = await get(notice);
  assert.equal(status, 200);
  assert.match(text, /^\{"action": "terminate", "time": "[0-9T:-]+Z"\}$/);

  const token = await fetch(`${service}/latest/api/token`, {
    method: 'PUT', headers: { 'X-aws-ec2-metadata-token-ttl-seconds': '60' },
  });
  await get(`${service}/latest/meta-data/placement/region`, { 'X-aws-ec2-metadata-token': await token.text() });
  const row = (version, path) =>
    page.locator('#requests tr', { has: page.locator(`.${version}`, { hasText: version }) }).filter({ hasText: path });
  await row('v1', '/latest/meta-data/spot/instance-action').first().waitFor();
  await row('v2', '/latest/meta-data/placement/region').first().waitFor();

  await page.selectOption('#lifecycle', 'Terminated');
  await leaf('/latest/meta-data/autoscaling/target-lifecycle-state').filter({ hasText: 'Terminated' }).waitFor();
  const state = await get(`${service}/latest/meta-data/autoscaling/target-lifecycle-state`);
  assert.equal(state.text, 'Terminated');

  await page.click('#maintenance');
  await leaf('/latest/meta-data/events/maintenance/scheduled').filter({ hasText: 'system-reboot' }).waitFor();
  const numbers = await page.locator('#requests tr td:first-child').allTextContents();
  assert.equal(new Set(numbers).size, numbers.length, 'no request is shown twice');
  if (screenshot) {
    await page.locator('#tree').evaluate(tree => { tree.parentElement.scrollTop = 0; });
    await page.screenshot({ path: screenshot });
  }
  assert.deepEqual(foreign, [], 'nothing comes from elsewhere');
  assert.deepEqual(complaints, []);
  console.log('page: tree, interruption, v1 and v2 marks, lifecycle and maintenance seen');
} finally {
  await browser.close();
}
