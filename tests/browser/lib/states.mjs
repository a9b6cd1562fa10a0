// Every page in every state of the gallery: light and dark under axe, and at 320 pixels.
import { overflow, violations } from "./rules.mjs";

export async function checkStates(browser, checks, gallery, session) {
  const paths = await listed(browser, gallery);
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.context({ colorScheme, storageState: session.state });
    const page = await context.newPage();
    for (const path of paths) {
      await checks.run(`axe ${colorScheme} ${path}`, async () => {
        await page.goto(new URL(path, gallery).href);
        await openAll(page);
        checks.same((await violations(page)).join("\n"), "");
      });
    }
    await context.close();
  }
  // Tables become cards below 640 pixels: both sides of that must fit.
  for (const width of [320, 641]) await checkWidth(browser, checks, gallery, paths, width);
}

async function checkWidth(browser, checks, gallery, paths, width) {
  const context = await browser.context({ viewport: { width, height: 640 } });
  const page = await context.newPage();
  for (const path of paths) {
    await checks.run(`${width} px ${path}`, async () => {
      await page.goto(new URL(path, gallery).href);
      await openAll(page);
      checks.same(await overflow(page), 0);
    });
  }
  await context.close();
}

async function listed(browser, gallery) {
  const context = await browser.context();
  const page = await context.newPage();
  await page.goto(gallery);
  const paths = await page.$$eval("a", (links) => links.map((link) => link.getAttribute("href")));
  await context.close();
  return paths;
}

/** What is folded away must be as good as what is shown. */
async function openAll(page) {
  await page.$$eval("main details", (all) => all.forEach((details) => { details.open = true; }));
}
