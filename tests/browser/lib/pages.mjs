// Every page that the navigation and one object of each list lead to, on the running console.
import { overflow, violations } from "./rules.mjs";

const FIXED = ["/", "/reviews", "/identities", "/apis", "/calls?since=90d", "/explain",
  "/explain?identity=svc-mailer&request=GET+/customers/1&headers=x-tenant:+acme&body=%7B%7D",
  "/findings", "/audit", "/search?q=order", "/no-such-page"];

export async function checkPages(browser, checks, session) {
  const paths = [...FIXED, ...(await found(browser, session))];
  for (const [name, options] of [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["320 px", { viewport: { width: 320, height: 640 } }],
    ["641 px", { viewport: { width: 641, height: 900 } }],
  ]) {
    const context = await browser.context({ storageState: session.state, ...options });
    const page = await context.newPage();
    for (const path of paths) {
      await checks.run(`${name} ${path}`, async () => {
        await page.goto(session.base + path);
        checks.same((await violations(page)).join("\n"), "");
        checks.same(await overflow(page), 0);
      });
    }
    await context.close();
  }
  await signInPage(browser, checks, session);
}

/** The first object of each list, and the first call that can be explained. */
async function found(browser, session) {
  const context = await browser.context({ storageState: session.state });
  const page = await context.newPage();
  const paths = [];
  for (const [list, link] of [
    ["/reviews", 'main a[href^="/reviews/"]'],
    ["/identities", 'main tbody a[href^="/identities/"]'],
    ["/apis", 'main tbody a[href^="/apis/"]'],
    ["/calls?since=90d", 'main tbody a[href^="/explain"]'],
  ]) {
    await page.goto(session.base + list);
    const first = page.locator(link).first();
    if (await first.count()) paths.push(await first.getAttribute("href"));
  }
  await context.close();
  return paths;
}

async function signInPage(browser, checks, session) {
  const context = await browser.context();
  const page = await context.newPage();
  await checks.run("nobody is led to the sign-in page", async () => {
    await page.goto(`${session.base}/reviews`);
    checks.same(new URL(page.url()).pathname, "/sign-in");
    checks.same((await violations(page)).join("\n"), "");
  });
  await context.close();
}
