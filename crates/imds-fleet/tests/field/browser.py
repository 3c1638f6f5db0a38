"""The report in headless Chromium: its figures, its sorting, and that no request leaves the page."""
import json, pathlib, sys, time
from playwright.sync_api import sync_playwright

page_path, state, chromium, screenshot = sys.argv[1:]
summary = json.load(open(state))["summary"]
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    requests, errors = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    url = pathlib.Path(page_path).resolve().as_uri()
    began = time.monotonic()
    page.goto(url)
    loaded = time.monotonic() - began
    # However many instances there are, a page of the table is what the browser has to lay out.
    assert page.locator("#instances tr").count() == min(200, summary["instances"])
    for posture, count in summary["postures"].items():
        assert page.inner_text(f"#{posture}") == str(count), posture
    assert page.inner_text("#instances-total") == str(summary["instances"])

    column = lambda n: page.eval_on_selector_all(f"#instances tr td:nth-child({n})", "cells => cells.map(cell => cell.textContent)")
    began = time.monotonic()
    page.click("#list th:nth-child(6) button")
    hops = [int(hop) for hop in column(6)]
    sorting = time.monotonic() - began
    lowest = hops[0]
    assert hops == sorted(hops), hops
    page.click("#list th:nth-child(6) button")
    hops = [int(hop) for hop in column(6)]
    # Sorted over all pages, of which this is the first.
    assert hops == sorted(hops, reverse=True) and hops[0] > lowest, hops
    page.click("#list th:nth-child(3) button")
    first = column(3)
    assert first == sorted(first)
    page.click("#on")
    if summary["instances"] > 200:
        assert column(3) and column(3) != first
    page.fill("#search", first[0])
    assert column(3) == [first[0]]
    page.fill("#search", "")
    page.click("#list th:nth-child(4) button")
    assert column(4)[0] == "v1-allowed"
    page.evaluate("scrollTo(0, 0)")
    # Contrast of all text against the page, in both schemes, and no sideways scrolling on a phone.
    contrast = """() => {
      const light = text => { const part = n => { n /= 255; return n <= .03928 ? n / 12.92 : ((n + .055) / 1.055) ** 2.4; };
        const [r, g, b] = text.match(/[\\d.]+/g).map(Number); return .2126 * part(r) + .7152 * part(g) + .0722 * part(b); };
      const clear = "rgba(0, 0, 0, 0)";
      const back = node => { for (; node; node = node.parentElement) { const c = getComputedStyle(node).backgroundColor; if (c !== clear) return c; } return "rgb(255, 255, 255)"; };
      let worst = 21;
      for (const node of document.querySelectorAll("p, b, td, li, h1, h2, h3, .figure, code")) {
        const [x, y] = [light(getComputedStyle(node).color), light(back(node))];
        worst = Math.min(worst, (Math.max(x, y) + .05) / (Math.min(x, y) + .05));
      }
      return worst; }"""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(contrast) >= 4.5, (scheme, page.evaluate(contrast))
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 420, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    page.set_viewport_size({"width": 1200, "height": 1000})
    assert page.locator(".legend li").count() == 5 and page.locator("code").count() > 3
    page.screenshot(path=screenshot)
    assert requests == [url], requests
    assert errors == [], errors
    browser.close()
size = pathlib.Path(page_path).stat().st_size / 2**20
print(f"{summary['instances']} instances, {size:.1f} MiB: opened in {loaded:.1f} s, sorted in {sorting:.1f} s")
