// A Chromium that speaks to nobody but the console, and remembers what its pages complained about.
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function launch() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return new Browser(await chromium.launch({ executablePath, args: FLAGS }));
}

class Browser {
  complaints = [];
  #chromium;

  constructor(instance) {
    this.#chromium = instance;
  }

  /** Opens the one-time link once; its cookie serves every later context. */
  async signIn(link) {
    const context = await this.context();
    const page = await context.newPage();
    await page.goto(link);
    const base = new URL(link).origin;
    const here = new URL(page.url());
    const code = new URL(link).searchParams.get("once");
    await page.goto(`${base}/reviews`);
    await page.goBack();
    const referrer = await page.evaluate(() => document.referrer);
    const codeKept = page.url().includes(code) || referrer.includes(`once=${code}`);
    const state = await context.storageState();
    await context.close();
    return { base, state, landedOn: here.pathname + here.search, codeKept };
  }

  /** A fresh profile; options as in Playwright's newContext. */
  async context(options = {}) {
    const context = await this.#chromium.newContext({
      viewport: { width: 1280, height: 900 },
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(15_000);
    context.on("page", (page) => this.#listen(page));
    return context;
  }

  #listen(page) {
    const note = (text) => this.complaints.push(`${new URL(page.url()).pathname}: ${text}`);
    page.on("pageerror", (error) => note(error.message));
    page.on("console", (message) => {
      // A page that answers 4xx on purpose is not an error of the page.
      const expected = message.text().startsWith("Failed to load resource: the server responded");
      if (message.type() === "error" && !expected) note(message.text());
    });
  }

  async close() {
    await this.#chromium.close();
  }
}
