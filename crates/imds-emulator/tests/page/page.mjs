// The page in a real browser: everything that it shows and does is seen here, on the page and at the service. Arguments:
// the control API's address, the service's address, the server's process id, the browser, where the screenshot goes.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const [control, service, server, executablePath, screenshot] = process.argv.slice(2);
const notice = `${service}/latest/meta-data/spot/instance-action`;

async function get(url, headers = {}) {
  const answer = await fetch(url, { headers });
  return { status: answer.status, text: await answer.text() };
}
const state = async () => (await fetch(`${control}/v1/state`)).json();
const happen = event => fetch(`${control}/v1/events`, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(event),
});

// The lowest contrast of any text on the page (WCAG 2.1, 1.4.3), and where it is.
const contrast = () => {
  const channels = text => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(value => value / 255)
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const back = element => {
    for (; element; element = element.parentElement) {
      const [r, g, b, alpha = 1] = channels(getComputedStyle(element).backgroundColor);
      if (alpha === 1) return [r, g, b];
      if (alpha !== 0) throw new Error('a background is neither opaque nor none');
    }
    return [255, 255, 255];
  };
  let worst = { ratio: 21 };
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own && !['INPUT', 'SELECT'].includes(element.tagName) || ['SCRIPT', 'STYLE', 'OPTION'].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    if (style.opacity !== '1') throw new Error(`${element.outerHTML} is translucent`);
    const [a, b] = [light(channels(style.color)), light(back(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < worst.ratio) worst = { ratio, where: element.outerHTML.slice(0, 120) };
  }
  return worst;
};

const browser = await chromium.launch({ executablePath, headless: true, args: ['--no-sandbox'] });
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 760 } });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: control });
  const page = await context.newPage();
  const foreign = [];
  page.on('request', request => { if (!request.url().startsWith(control)) foreign.push(request.url()); });
  const complaints = [];
  page.on('console', message => { if (message.type() === 'error') complaints.push(message.text()); });
  page.on('pageerror', error => complaints.push(String(error)));
  await page.goto(control + '/');
  const refreshed = async () => {
    for (let count = 0; count < 2; count++) await page.waitForResponse(answer => answer.url().includes('/v1/requests'));
  };

  const leaf = path => page.locator(`[data-path="${path}"] span`);
  const id = '/latest/meta-data/instance-id';
  await leaf(id).filter({ hasText: 'i-1234567890abcdef0' }).waitFor();
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
  await get(`${service}/latest/meta-data/placement/region`,
    { 'X-aws-ec2-metadata-token': await token.text(), 'User-Agent': 'tester/1.0' });
  const row = (version, path) =>
    page.locator('#requests tr', { has: page.locator(`.${version}`, { hasText: version }) }).filter({ hasText: path });
  await row('v1', '/latest/meta-data/spot/instance-action').first().waitFor();
  await row('v2', '/latest/meta-data/placement/region').first().waitFor();

  await page.selectOption('#lifecycle', 'Terminated');
  await leaf('/latest/meta-data/autoscaling/target-lifecycle-state').filter({ hasText: 'Terminated' }).waitFor();
  const target = await get(`${service}/latest/meta-data/autoscaling/target-lifecycle-state`);
  assert.equal(target.text, 'Terminated');

  await page.click('#maintenance');
  await leaf('/latest/meta-data/events/maintenance/scheduled').filter({ hasText: 'system-reboot' }).waitFor();
  const numbers = await page.locator('#requests tr td:first-child').allTextContents();
  assert.equal(new Set(numbers).size, numbers.length, 'no request is shown twice');

  // A value is opened and copied, whole.
  await page.click(`[data-path="/latest/dynamic/instance-identity/document"] button`);
  const shown = await page.locator('#detail-value').textContent();
  assert.match(shown, /"instanceId" : "i-1234567890abcdef0"[^]*\}$/);
  await page.click('#copy');
  await page.locator('#copied').filter({ hasText: 'copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), shown);
  await page.click('#close');
  // A selection outlives the page's refreshes.
  await leaf(id).selectText();
  await refreshed();
  assert.equal(await page.evaluate(() => getSelection().toString()), 'i-1234567890abcdef0');

  // Folded and filtered, and still so after a refresh.
  const zone = page.locator('[data-path="/latest/meta-data/placement/availability-zone"]');
  assert.ok(await zone.isVisible());
  await page.click('[data-folder="/latest/meta-data/placement"] > summary');
  await refreshed();
  assert.ok(!await zone.isVisible(), 'folded');
  await page.click('#fold');
  assert.ok(!await leaf(id).isVisible());
  await page.click('#unfold');
  assert.ok(await zone.isVisible() && await leaf(id).isVisible());
  const visible = () => page.locator('.leaf:visible').evaluateAll(rows => rows.map(one => one.dataset.path));
  await page.fill('#filter', 'placement/');
  await refreshed();
  const placed = await visible();
  assert.ok(placed.length >= 3 && placed.every(path => path.includes('/placement/')), placed.join());
  await page.fill('#filter', 'i-1234567890abcdef0');
  assert.ok((await visible()).includes(id), 'filtered by value');
  await page.fill('#filter', '');

  // Request detail, and who connected.
  await row('v2', '/latest/meta-data/placement/region').first().click();
  const detail = await page.locator('#detail-value').textContent();
  for (const line of [/^client: 127\.0\.0\.1:\d+$/m, /^user agent: tester\/1\.0$/m, /^status: 200$/m, /^version: v2$/m])
    assert.match(detail, line);
  await page.click('#close');
  const client = page.locator('#clients tr').filter({ hasText: 'tester/1.0' });
  assert.match(await client.textContent(), /^127\.0\.0\.1tester\/1\.01 requests, 1 connections/);

  // Every event that the emulator knows, by the form; each is accepted.
  const values = { state: 'InService', id: 'instance-event-1', 'not-before': '2030-01-01T00:00:00Z', key: 'Team', value: 'blue',
    path: 'placement/group-name', fault: '503', count: '1', walk: 'launch', 'hop-limit': '3' };
  const only = { fault: ['fault', 'count'], options: ['hop-limit'], 'user-data': ['value'], set: ['path', 'value'] };
  const names = await page.locator('#event-name option').allTextContents();
  assert.ok(names.length >= 18, names.join());
  for (const name of names) {
    await page.selectOption('#event-name', name);
    const fields = await page.locator('#parameters [data-parameter]').evaluateAll(all => all.map(one => one.dataset.parameter));
    for (const field of fields) {
      if (!(field in values) || (only[name] && !only[name].includes(field))) continue;
      const input = page.locator(`#parameters [data-parameter="${field}"]`);
      if (await input.evaluate(one => one.tagName) === 'SELECT') await input.selectOption(values[field]);
      else await input.fill(values[field]);
    }
    const [answer] = await Promise.all([
      page.waitForResponse(one => one.url().endsWith('/v1/events')), page.click('#event button')]);
    assert.equal(answer.status(), 200, `${name}: ${await answer.text()}`);
  }
  assert.equal((await state()).options['hop-limit'], 3);
  // What is refused is said.
  await page.selectOption('#event-name', 'untag');
  await page.click('#event button');
  await page.locator('#message').filter({ hasText: '`untag` needs `key`' }).waitFor();
  await refreshed();
  assert.ok(await page.locator('#message').textContent(), 'an error stays until the next action');
  complaints.length = 0;
  // A fault by the form is met, shown and ended.
  await page.selectOption('#event-name', 'fault');
  await page.selectOption('#parameters [data-parameter="fault"]', '503');
  await page.click('#event button');
  await page.locator('#faults').filter({ hasText: '503' }).waitFor();
  assert.equal((await get(`${service}/latest/meta-data/mac`)).status, 503);
  await page.locator('#requests tr').filter({ hasText: '(503)' }).first().waitFor();
  await page.click('[data-event*="clear-faults"]');
  await page.locator('#faults').filter({ hasText: 'none' }).waitFor();
  // Every option.
  for (const [name, value] of [['tokens', 'required'], ['endpoint', 'disabled'], ['ipv6', 'enabled'], ['tags', 'disabled'], ['hop-limit', '7']]) {
    const field = page.locator(`[data-option="${name}"]`);
    const applied = page.waitForResponse(one => one.url().endsWith('/v1/events'));
    if (name === 'hop-limit') { await field.fill(value); await field.press('Tab'); } else await field.selectOption(value);
    await applied;
    assert.equal(String((await state()).options[name]), value);
  }
  await happen({ event: 'options', endpoint: 'enabled', tokens: 'optional' });
  // The page follows.
  await page.waitForFunction(() => document.querySelector('[data-option="endpoint"]').value === 'enabled');
  // The clock, and what is to come.
  await page.selectOption('#event-name', 'clear-spot');
  await page.fill('[data-parameter="after"]', '10s');
  await page.click('#event button');
  await page.fill('[data-parameter="after"]', '');
  await page.locator('#timeline').filter({ hasText: 'clear-spot' }).waitFor();
  const before = Date.parse((await state()).time);
  await page.fill('#step', '90s');
  await page.click('#clock button');
  await page.locator('#timeline').filter({ hasNotText: 'clear-spot' }).waitFor({ state: 'attached' });
  assert.equal(Date.parse((await state()).time) - before, 90_000);

  await get(notice);
  await row('v1', '/latest/meta-data/spot/instance-action').first().waitFor();
  await page.locator('tr.fresh').first().waitFor({ state: 'detached' });
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const worst = await page.evaluate(contrast);
    assert.ok(worst.ratio >= 4.5, `${colorScheme}: ${worst.ratio} at ${worst.where}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  if (screenshot) {
    await page.locator('#tree').evaluate(tree => { tree.parentElement.scrollTop = 0; });
    await page.screenshot({ path: screenshot });
  }
  await page.setViewportSize({ width: 420, height: 800 });
  await refreshed();
  const wide = await page.evaluate(() => [...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 100)));
  assert.deepEqual(wide, [], 'nothing is wider than 420 px');
  await page.click(`[data-path="${id}"] button`);
  assert.ok((await page.locator('#detail').boundingBox()).width <= 420);
  await page.click('#close');

  await page.click('#reset');
  await page.locator('#clients tr').first().waitFor({ state: 'detached' });
  assert.deepEqual(foreign, [], 'nothing comes from elsewhere');
  assert.deepEqual(complaints, []);

  // The emulator ends: the page says so, and keeps what it showed.
  process.kill(Number(server));
  await page.locator('#gone').filter({ hasText: 'The emulator is gone' }).waitFor();
  assert.equal(await leaf(id).textContent(), 'i-1234567890abcdef0');
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const worst = await page.evaluate(contrast);
    assert.ok(worst.ratio >= 4.5, `${colorScheme}: ${worst.ratio} at ${worst.where}`);
  }
  console.log('page: tree, values, events, faults, options, clock, requests, clients, 420 px, contrast and its end seen');
} finally {
  await browser.close();
}
