/** What pages weigh on the wire, compressed, and when their largest part is painted, in Chromium. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { startBrowser } from "../../test/support/browser.ts";
import type { Address } from "./addresses.ts";

export interface PageWeight {
  page: string;
  /** Kilobytes of a browser that was never here, and of one that has the files of `public/`. */
  first: number;
  after: number;
  /** Largest contentful paint of the first visit, milliseconds. */
  lcp: number;
}

/** Charts are drawn from data that came with the page; what is painted after that is not waited for. */
const QUIET_MS = 1_500;

export async function weighPages(
  url: string,
  token: string,
  addresses: readonly Address[],
): Promise<PageWeight[]> {
  const cookie = await signIn(url, token);
  const browser = await startBrowser();
  try {
    const firsts = new Map(addresses.map((address) => [address.page, address]));
    const weights: PageWeight[] = [];
    for (const [page] of firsts) {
      const { path } = addresses.find((address) => address.page === page)!;
      weights.push({ page, ...(await weighOne(browser, { url, path, cookie })) });
    }
    return weights;
  } finally {
    await browser.close();
  }
}

type Cookie = { name: string; value: string };

async function signIn(url: string, token: string): Promise<Cookie[]> {
  const answer = await fetch(`${url}/sign-in`, {
    method: "POST",
    headers: { "sec-fetch-site": "same-origin" },
    body: new URLSearchParams({ token }),
    redirect: "manual",
  });
  return answer.headers.getSetCookie().map((line) => {
    const [name, value] = line.split(";")[0]!.split("=") as [string, string];
    return { name, value };
  });
}

async function weighOne(
  browser: Browser,
  { url, path, cookie }: { url: string; path: string; cookie: Cookie[] },
): Promise<Omit<PageWeight, "page">> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.addCookies(cookie.map((one) => ({ ...one, url })));
  await context.addInitScript(() => {
    const seen = window as unknown as { lcp: number };
    seen.lcp = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.lcp = entry.startTime;
    }).observe({ type: "largest-contentful-paint", buffered: true });
  });
  try {
    const first = await weighVisit(context, url + path);
    const after = await weighVisit(context, url + path);
    return { first: first.kb, after: after.kb, lcp: first.lcp };
  } finally {
    await context.close();
  }
}

async function weighVisit(context: BrowserContext, url: string) {
  const page = await context.newPage();
  const wire = await bytesOnWire(page);
  await page.goto(url, { waitUntil: "load" });
  await page.waitForTimeout(QUIET_MS);
  const lcp = await page.evaluate(() => (window as unknown as { lcp: number }).lcp);
  await page.close();
  return { kb: wire.bytes / 1_000, lcp };
}

/** Headers and compressed bodies of all that has arrived; live streams, which never end, are left out. */
async function bytesOnWire(page: Page): Promise<{ bytes: number }> {
  const wire = { bytes: 0 };
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  session.on("Network.loadingFinished", ({ encodedDataLength }) => {
    wire.bytes += encodedDataLength;
  });
  return wire;
}
